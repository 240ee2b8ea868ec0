//! Finds the running moshi-server and reads from its command line where it listens and what its config is.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// A process, told apart from a later one with the same number by the tick of its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub started: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub process: Option<Process>,
    pub address: SocketAddr,
    pub config: Option<PathBuf>,
}

impl Default for Server {
    fn default() -> Self {
        Server { process: None, address: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), config: None }
    }
}

/// The server with the lowest process number, if there is one.
pub fn find() -> Option<Server> {
    let mut pids: Vec<i32> =
        fs::read_dir("/proc").ok()?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    pids.into_iter().find_map(|pid| {
        let raw = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let argv: Vec<String> =
            raw.split(|byte| *byte == 0).map(|argument| String::from_utf8_lossy(argument).into_owned()).collect();
        let argv = own(&argv);
        if !is_server(argv) {
            return None;
        }
        let started = start_tick(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
        let config =
            value(&argv[2..], None, "--config").map(|name| PathBuf::from(format!("/proc/{pid}/cwd")).join(name));
        Some(Server { process: Some(Process { pid, started }), address: address(&argv[2..]), config })
    })
}

/// The arguments of a program that qemu emulates: without qemu's own name and the program's path. Where binfmt_misc hands
/// over the first argument too (its flag P), that comes after the path: https://docs.kernel.org/admin-guide/binfmt-misc.html
fn own(argv: &[String]) -> &[String] {
    let name = argv.first().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    if !name.starts_with("qemu-") && !name.ends_with("-binfmt-P") {
        return argv;
    }
    argv.get(2..).filter(|rest| is_server(rest)).or(argv.get(1..)).unwrap_or(argv)
}

/// A shell that runs a script and tini have the script or `--` where a server has its subcommand; the program's own
/// name says nothing, as users may bring a binary of theirs.
fn is_server(argv: &[String]) -> bool {
    argv.get(1).is_some_and(|subcommand| subcommand == "worker")
}

/// The value of an option in the forms that clap takes: `--port 1`, `--port=1`, `-p 1`, `-p1` and `-p=1`.
fn value<'a>(argv: &'a [String], short: Option<&str>, long: &str) -> Option<&'a str> {
    let mut rest = argv.iter();
    while let Some(argument) = rest.next() {
        if argument == long || short.is_some_and(|short| argument == short) {
            return rest.next().map(String::as_str);
        }
        if let Some(value) = argument.strip_prefix(long).and_then(|tail| tail.strip_prefix('=')) {
            return Some(value);
        }
        if let Some(value) = short.and_then(|short| argument.strip_prefix(short)) {
            return Some(value.strip_prefix('=').unwrap_or(value));
        }
    }
    None
}

/// Where to reach a server that was started so: a wildcard is reached through the loopback.
fn address(argv: &[String]) -> SocketAddr {
    let port = value(argv, Some("-p"), "--port").and_then(|port| port.parse().ok()).unwrap_or(8080);
    let ip = match value(argv, Some("-a"), "--addr").unwrap_or("0.0.0.0").parse() {
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        Ok(ip) => ip,
        // What the server itself makes of a name.
        Err(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::from((ip, port))
}

/// The address in `http://IP:PORT/`, the scheme and the slash being optional.
pub fn parse_url(url: &str) -> Result<SocketAddr, String> {
    let host = url.strip_prefix("http://").unwrap_or(url).trim_end_matches('/').replace("localhost:", "127.0.0.1:");
    host.parse().map_err(|_| format!("{url}: not of the form http://IP:PORT"))
}

/// Field 22 of /proc/PID/stat; the name in field 2 may hold blanks and parentheses.
pub fn start_tick(stat: &str) -> Option<u64> {
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(line: &str) -> Vec<String> {
        line.split(' ').map(ToString::to_string).collect()
    }

    #[test]
    fn only_the_server_is_taken() {
        assert!(is_server(&argv("/opt/baker/bin/moshi-server-cuda-80 worker --config configs/stt.toml")));
        assert!(is_server(&argv("mine worker")));
        for line in [
            "/usr/bin/tini -- /app/start_moshi_server.sh worker --config configs/stt.toml",
            "/bin/bash /app/start_moshi_server.sh worker --config configs/stt.toml",
            "/opt/baker/bin/moshi-server-cuda-80 validate worker",
            "worker",
        ] {
            assert!(!is_server(&argv(line)), "{line}");
        }
    }

    #[test]
    fn an_emulated_server_is_the_same() {
        let server = "/opt/baker/bin/moshi-server-cuda-80 worker --config a";
        for line in [
            server.to_string(),
            format!("/usr/bin/qemu-aarch64-static {server}"),
            format!("/usr/bin/qemu-aarch64 /opt/baker/bin/moshi-server-cuda-80 {server}"),
            format!("/usr/libexec/qemu-binfmt/aarch64-binfmt-P /opt/baker/bin/moshi-server-cuda-80 {server}"),
        ] {
            assert_eq!(own(&argv(&line)), argv(server), "{line}");
        }
        let tini = "/usr/bin/qemu-aarch64 /usr/bin/tini /usr/bin/tini -- /app/start_moshi_server.sh worker";
        assert!(!is_server(own(&argv(tini))));
    }

    #[test]
    fn addresses() {
        for (line, expected) in [
            ("--config a", "127.0.0.1:8080"),
            ("--config a --port 81", "127.0.0.1:81"),
            ("--port=81", "127.0.0.1:81"),
            ("-p 81", "127.0.0.1:81"),
            ("-p81", "127.0.0.1:81"),
            ("-p=81 -a ::", "[::1]:81"),
            ("--addr 10.1.2.3", "10.1.2.3:8080"),
            ("--addr=somewhere", "[::1]:8080"),
        ] {
            assert_eq!(address(&argv(line)).to_string(), expected, "{line}");
        }
    }

    #[test]
    fn config() {
        assert_eq!(value(&argv("--cpu --config configs/stt.toml"), None, "--config"), Some("configs/stt.toml"));
        assert_eq!(value(&argv("--config=/etc/stt.toml"), None, "--config"), Some("/etc/stt.toml"));
        assert_eq!(value(&argv("--cpu"), None, "--config"), None);
    }

    #[test]
    fn urls() {
        assert_eq!(parse_url("http://localhost:80/").unwrap().to_string(), "127.0.0.1:80");
        assert_eq!(parse_url("[::1]:80").unwrap().to_string(), "[::1]:80");
        assert!(parse_url("http://stt").is_err());
    }

    #[test]
    fn start() {
        let stat = "77 (a) b) S 1 77 77 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 3 0 4711 1 2";
        assert_eq!(start_tick(stat), Some(4711));
        assert_eq!(start_tick("77"), None);
    }
}
