"""Reports of builds: a page, a picture and a text, all from one record."""
