//! Health probe for moshi-server, made for Docker's HEALTHCHECK: exit code 0 and one line when the server can serve,
//! 1 and one line why when it cannot. Why it looks where it looks: docs/health.md.
//!
//! `moshi-health config FILE` is for the start script: it prints what a config makes the server do (needs.rs), and
//! `moshi-health config --cpu FILE` the same config with everything on the CPU.

mod check;
mod config;
mod http;
mod modules;
mod needs;
mod options;
mod restart;
mod server;
mod threads;
mod toml;
mod websocket;

use std::path::Path;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use check::Verdict;
use options::Options;

/// With an interval of 10 s and three failures in a row a dead loop is seen 51 s after its end at the latest, inside the
/// minute that it may take, and a loop that is alive may spend 41 s in one step before it is called dead.
const PATIENCE: Duration = Duration::from_secs(7);

/// Between two looks for a server that does not listen yet.
const PAUSE: Duration = Duration::from_millis(200);

/// A server that is about to listen is waited for: a start may then take as long as three waits and needs no start
/// period, in which Docker would not count the failures of a loop that is dead.
fn run(options: &Options) -> Verdict {
    let patience = options.patience.unwrap_or(PATIENCE);
    let listening = Instant::now() + options.start_wait.unwrap_or(patience);
    let mut waited = false;
    loop {
        let server = options.server();
        let verdict = match &server {
            Some(server) => check::check(server, Instant::now() + patience),
            None => Verdict::Starting("there is no moshi-server process yet".to_string()),
        };
        match verdict {
            Verdict::Starting(_) if Instant::now() + PAUSE < listening => {
                waited = true;
                sleep(PAUSE);
            }
            Verdict::Unhealthy(reason) if waited => {
                return Verdict::Starting(format!("it began to listen just now; {reason}"));
            }
            verdict => {
                let process = server.and_then(|server| server.process);
                return match process {
                    Some(process) if options.restart_after > 0 => {
                        restart::count(verdict, &process, options.restart_after)
                    }
                    _ => verdict,
                };
            }
        }
    }
}

/// What is printed of a config.
fn tell(argv: &[String]) -> Result<String, String> {
    let (cpu, file) = match argv {
        [file] => (false, file),
        [option, file] if option == "--cpu" => (true, file),
        _ => return Err("usage: moshi-health config [--cpu] FILE".to_string()),
    };
    let config = config::read(Path::new(file))?;
    let told = if cpu {
        needs::on_cpu(&config).map(|table| table.to_string())
    } else {
        needs::lines(&config, &|name| std::env::var(name).ok()).map(|lines| lines.join("\n") + "\n")
    };
    told.map_err(|message| format!("{file}: {message}"))
}

fn main() -> ExitCode {
    let argv: Vec<String> = std::env::args().skip(1).collect();
    if argv.first().is_some_and(|first| first == "config") {
        return match tell(&argv[1..]) {
            Ok(text) => {
                print!("{text}");
                ExitCode::SUCCESS
            }
            Err(message) => {
                eprintln!("{message}");
                ExitCode::from(1)
            }
        };
    }
    let verdict = match Options::parse(argv.into_iter(), |name| std::env::var(name).ok()) {
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
