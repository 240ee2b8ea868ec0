//! The options of a probe.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::server::{self, Server};

const USAGE: &str = "usage: moshi-health [--url http://IP:PORT] [--port PORT] [--config FILE] [--patience SECONDS] \
                     [--start-wait SECONDS] [--restart-after FAILURES]";

#[derive(Debug, Default)]
pub struct Options {
    pub url: Option<SocketAddr>,
    pub port: Option<u16>,
    pub config: Option<PathBuf>,
    pub patience: Option<Duration>,
    /// How long to wait for a server that does not listen yet; as long as the patience unless it is given.
    pub start_wait: Option<Duration>,
    /// 0 is never.
    pub restart_after: u32,
}

impl Options {
    /// The environment first, which reaches a probe whose command line is part of an image; options win over it.
    pub fn parse(
        argv: impl Iterator<Item = String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Options, String> {
        let mut options = Options::default();
        for (variable, name) in [("MOSHI_HEALTH_URL", "--url"), ("MOSHI_HEALTH_RESTART_AFTER", "--restart-after")] {
            if let Some(value) = environment(variable).filter(|value| !value.is_empty()) {
                options.set(name, &value).map_err(|message| format!("{variable}: {message}"))?;
            }
        }
        let mut argv = argv;
        while let Some(name) = argv.next() {
            let value = argv.next().ok_or_else(|| format!("{name} lacks a value; {USAGE}"))?;
            options.set(&name, &value)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = || format!("{name} {value}: not understood; {USAGE}");
        match name {
            "--url" => self.url = Some(server::parse_url(value)?),
            "--port" => self.port = Some(value.parse().map_err(|_| wrong())?),
            "--config" => self.config = Some(PathBuf::from(value)),
            "--patience" => self.patience = Some(seconds(value).ok_or_else(wrong)?),
            "--start-wait" => self.start_wait = Some(seconds(value).ok_or_else(wrong)?),
            "--restart-after" => self.restart_after = value.parse().map_err(|_| wrong())?,
            _ => return Err(format!("{name}: no such option; {USAGE}")),
        }
        Ok(())
    }

    /// What runs here, with what the options say instead; nothing when neither says enough.
    pub fn server(&self) -> Option<Server> {
        let mut server = match server::find() {
            Some(server) => server,
            None if self.url.is_some() || self.port.is_some() => Server::default(),
            None => return None,
        };
        if let Some(address) = self.url {
            server.address = address;
        }
        if let Some(port) = self.port {
            server.address.set_port(port);
        }
        if let Some(config) = &self.config {
            server.config = Some(config.clone());
        }
        Some(server)
    }
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(argv: &[&str]) -> Result<Options, String> {
        Options::parse(argv.iter().map(ToString::to_string), |_| None)
    }

    #[test]
    fn options() {
        let options =
            parse(&["--port", "9000", "--patience", "0.5", "--start-wait", "110", "--restart-after", "4"]).unwrap();
        assert_eq!(options.port, Some(9000));
        assert_eq!(options.patience, Some(Duration::from_millis(500)));
        assert_eq!(options.start_wait, Some(Duration::from_secs(110)));
        assert_eq!(options.restart_after, 4);
    }

    #[test]
    fn options_win_over_the_environment() {
        let environment = |name: &str| match name {
            "MOSHI_HEALTH_URL" => Some("http://127.0.0.1:81".to_string()),
            "MOSHI_HEALTH_RESTART_AFTER" => Some("4".to_string()),
            _ => None,
        };
        let options = Options::parse(["--restart-after", "0"].iter().map(ToString::to_string), environment).unwrap();
        assert_eq!(options.url, Some(SocketAddr::from(([127, 0, 0, 1], 81))));
        assert_eq!(options.restart_after, 0);
        let wrong = Options::parse(std::iter::empty(), |_| Some("x".to_string())).unwrap_err();
        assert!(wrong.starts_with("MOSHI_HEALTH_URL"), "{wrong}");
    }

    #[test]
    fn wrong_options() {
        for argv in [&["--port"][..], &["--port", "x"], &["--patience", "-1"], &["--patience", "nan"], &["--what", "1"]]
        {
            assert!(parse(argv).unwrap_err().contains("usage"), "{argv:?}");
        }
    }
}
