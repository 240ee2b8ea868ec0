"""What every part of baker needs of the operating system: processes, HTTP, streams of bytes, files, units."""
