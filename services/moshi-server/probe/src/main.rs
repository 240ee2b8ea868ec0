//! Health probe for moshi-server, made for Docker's HEALTHCHECK: exit code 0 and one line when the server can serve,
//! 1 and one line why when it cannot. Why it looks where it looks: docs/health.md.

mod check;
mod config;
mod http;
mod modules;
mod restart;
mod server;
mod threads;
mod websocket;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use check::Verdict;
use server::Server;

const USAGE: &str = "usage: moshi-health [--url http://IP:PORT] [--port PORT] [--config FILE] [--patience SECONDS] \
                     [--restart-after FAILURES]";

/// Three windows of 8 s and the pauses of 10 s between them and before them make 54 s, inside the minute in which a
/// dead loop has to be seen; and a loop that is alive may spend 44 s in one step before it is called dead.
const PATIENCE: Duration = Duration::from_secs(8);

#[derive(Default)]
struct Options {
    url: Option<SocketAddr>,
    port: Option<u16>,
    config: Option<PathBuf>,
    patience: Option<Duration>,
    restart_after: Option<u32>,
}

impl Options {
    fn parse(mut argv: impl Iterator<Item = String>, url: Option<String>) -> Result<Options, String> {
        let mut options = Options { url: url.as_deref().map(server::parse_url).transpose()?, ..Options::default() };
        while let Some(name) = argv.next() {
            let value = argv.next().ok_or_else(|| format!("{name} lacks a value; {USAGE}"))?;
            let wrong = || format!("{name} {value}: not understood; {USAGE}");
            match name.as_str() {
                "--url" => options.url = Some(server::parse_url(&value)?),
                "--port" => options.port = Some(value.parse().map_err(|_| wrong())?),
                "--config" => options.config = Some(PathBuf::from(&value)),
                "--patience" => {
                    let seconds: f64 = value.parse().map_err(|_| wrong())?;
                    options.patience = Some(Duration::try_from_secs_f64(seconds).map_err(|_| wrong())?);
                }
                "--restart-after" => options.restart_after = Some(value.parse().map_err(|_| wrong())?),
                _ => return Err(format!("{name}: no such option; {USAGE}")),
            }
        }
        Ok(options)
    }
}

fn run(options: &Options) -> Verdict {
    let deadline = Instant::now() + options.patience.unwrap_or(PATIENCE);
    let found = server::find();
    let mut server = match (found, options.url, options.port) {
        (Some(server), _, _) => server,
        (None, Some(address), _) => Server { address, ..Server::default() },
        (None, None, Some(_)) => Server::default(),
        (None, None, None) => return Verdict::Starting("there is no moshi-server process yet".to_string()),
    };
    if let Some(address) = options.url {
        server.address = address;
    }
    if let Some(port) = options.port {
        server.address.set_port(port);
    }
    if let Some(config) = &options.config {
        server.config = Some(config.clone());
    }
    let verdict = check::check(&server, deadline);
    match (options.restart_after, &server.process) {
        (Some(failures), Some(process)) => restart::count(verdict, process, failures),
        _ => verdict,
    }
}

fn main() -> ExitCode {
    let url = std::env::var("MOSHI_HEALTH_URL").ok().filter(|url| !url.is_empty());
    let verdict = match Options::parse(std::env::args().skip(1), url) {
        Ok(options) => run(&options),
        Err(message) => Verdict::Unhealthy(message),
    };
    println!("{verdict}");
    match verdict {
        Verdict::Healthy(_) => ExitCode::SUCCESS,
        // Docker keeps every code but 0 and 1 for itself.
        Verdict::Starting(_) | Verdict::Unhealthy(_) => ExitCode::from(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(argv: &[&str]) -> Result<Options, String> {
        Options::parse(argv.iter().map(ToString::to_string), None)
    }

    #[test]
    fn options() {
        let options = parse(&["--port", "9000", "--patience", "0.5", "--restart-after", "4"]).unwrap();
        assert_eq!(options.port, Some(9000));
        assert_eq!(options.patience, Some(Duration::from_millis(500)));
        assert_eq!(options.restart_after, Some(4));
    }

    #[test]
    fn wrong_options() {
        for argv in [&["--port"][..], &["--port", "x"], &["--patience", "-1"], &["--patience", "nan"], &["--what", "1"]]
        {
            assert!(parse(argv).err().unwrap().contains("usage"), "{argv:?}");
        }
    }
}
