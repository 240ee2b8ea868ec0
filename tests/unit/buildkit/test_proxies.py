"""Which proxies a build is handed."""

from __future__ import annotations

from baker.buildkit import bake, proxies

SHELL = {
    "HTTP_PROXY": "http://proxy.example.com:3128",
    "https_proxy": "http://me:canary@proxy.example.com:3128",
    "all_proxy": "me:canary@proxy.example.com:3128",
    "NO_PROXY": "localhost,.example.com",
    "FTP_PROXY": "",
    "PATH": "/bin",
}


def test_those_of_the_environment_by_name():
    assert proxies.arguments(SHELL) == ("all_proxy", "https_proxy", "HTTP_PROXY", "NO_PROXY")
    assert proxies.arguments({"PATH": "/bin"}) == ()


def test_no_login_reaches_what_others_can_read():
    argv = bake.arguments(builder="", secrets=(), output="", tags={"a": "b"}, options=proxies.options(SHELL))
    assert "--set=*.args.https_proxy" in argv
    assert not [argument for argument in argv if "canary" in argument]
    assert proxies.options(SHELL, told=True) == ("*.args.HTTP_PROXY", "*.args.NO_PROXY")
