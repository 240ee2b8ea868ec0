"""`page = false` in baker.toml, in an image that runs."""

from __future__ import annotations

from tests.docker.project import SERVICE

PAGE = """
[image]
folders = ["/app/static"]
[image.page]
from = "page"
to = "/app/static"
"""


def test_a_project_leaves_the_page_out(project, engine):
    def served() -> list[str]:
        done = project.build()
        assert done.returncode == 0, done.stdout + done.stderr
        argv = ["-c", "cd /app/static && ls -A"]
        said = engine.containers.run(project.image, argv, entrypoint="/bin/sh", remove=True)
        return said.decode().split()

    settings = (project.root / "baker.toml").read_text()
    project.write("services/hello/service.toml", SERVICE.replace("[[image.files]]", f"{PAGE}[[image.files]]", 1))
    project.write("services/hello/page/index.html", "<!doctype html><title>hello</title>\n")
    assert served() == ["index.html"]
    project.write("baker.toml", settings.replace("[images]\n", "[images]\npage = false\n"))
    assert served() == []
    # The rest is as before: the file of the service, and its program.
    assert engine.containers.run(project.image, ["motd"], entrypoint="/bin/ls", remove=True).decode().strip() == "motd"
    project.write("baker.toml", settings)
    assert served() == ["index.html"]
