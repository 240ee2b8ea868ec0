//! The verdict on a server. Ordered so that a slot is taken only where nothing that is free of charge can tell.

use std::fmt;
use std::io::{Error, ErrorKind};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::config::{self, Config};
use crate::modules::{self, Kind, Module};
use crate::server::Server;
use crate::threads;
use crate::websocket::{Message, Opened, WebSocket};

/// How long to look at the counters before a slot is taken: a client sends a frame every 80 ms.
const GLANCE: Duration = Duration::from_millis(400);
const PAUSE: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Healthy(String),
    /// Not listening yet, which a start period covers.
    Starting(String),
    Unhealthy(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Healthy(reason) => write!(f, "healthy: {reason}"),
            Verdict::Starting(reason) => write!(f, "starting: {reason}"),
            Verdict::Unhealthy(reason) => write!(f, "unhealthy: {reason}"),
        }
    }
}

pub fn check(server: &Server, deadline: Instant) -> Verdict {
    let modules = match patiently(deadline, || modules::fetch(server.address, deadline)) {
        Ok(modules) => modules,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            return Verdict::Starting(format!("nothing listens on {} yet", server.address));
        }
        // A loop that panics while it holds the lock on its slots takes this page with it.
        Err(error) => return Verdict::Unhealthy(format!("{}/api/modules_info: {error}", server.address)),
    };
    let config = match &server.config {
        Some(path) => config::read(path),
        None => Err("no config is known; --config names it".to_string()),
    };
    let looper = Looper { server, modules: &modules, config: &config, deadline };
    let mut signs = Vec::new();
    for (index, module) in modules.iter().enumerate() {
        match looper.sign_of_life(index) {
            Ok(sign) => signs.push(format!("{} {sign}", module.path)),
            Err(reason) => return Verdict::Unhealthy(format!("{} {reason}", module.path)),
        }
    }
    if let Some(note) = unseen(&config) {
        signs.push(note);
    }
    if signs.is_empty() {
        signs.push("the server answers, no module with a loop is known".to_string());
    }
    Verdict::Healthy(signs.join("; "))
}

/// Modules of the other types have no loop: that the server answers is all there is to see.
fn unseen(config: &Result<Config, String>) -> Option<String> {
    let types = config.as_ref().ok()?.modules.iter().map(|module| module.kind.as_str());
    let types: Vec<&str> = types.filter(|name| !["BatchedAsr", "PyBatchedAsr", "Py"].contains(name)).collect();
    (!types.is_empty()).then(|| format!("the server answers, {} not looked into", types.join(" and ")))
}

/// Again until the deadline, except where nothing listens.
fn patiently<T>(deadline: Instant, mut ask: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    loop {
        match ask() {
            Err(error) if error.kind() != ErrorKind::ConnectionRefused && Instant::now() + PAUSE < deadline => {
                sleep(PAUSE);
            }
            result => return result,
        }
    }
}

/// What came of taking a slot.
enum Answer {
    /// Only a live loop gives it.
    Alive(&'static str),
    /// None in time.
    Silence,
    /// All slots were taken in the meantime, or the server dropped the connection.
    NoSlot,
    /// No key of the config is accepted.
    Refused(String),
}

struct Looper<'a> {
    server: &'a Server,
    modules: &'a [Module],
    config: &'a Result<Config, String>,
    deadline: Instant,
}

impl Looper<'_> {
    /// What shows that a module's loop is alive, or why it is held to be dead.
    fn sign_of_life(&self, index: usize) -> Result<String, String> {
        let module = &self.modules[index];
        let counted = self.modules.iter().filter(|other| other.kind == module.kind).count() == 1;
        // Modules of one kind share their counters. A TTS loop steps all the time while a slot is taken, so that its
        // counters alone tell; an STT loop steps only when somebody sends.
        let told_by_counters = counted && module.kind == Kind::Tts;
        if module.used > 0 && counted {
            let until = if told_by_counters { self.deadline } else { self.deadline.min(Instant::now() + GLANCE) };
            if let Some(sign) = self.watch(index, false, until) {
                return Ok(sign.to_string());
            }
            if told_by_counters {
                return Err(format!("has {} of {} slots taken and makes no steps", module.used, module.total));
            }
        }
        let trouble = if module.used < module.total {
            match self.ask(module) {
                Answer::Alive(sign) => return Ok(sign.to_string()),
                Answer::Silence => {
                    return Err("does not answer a new client: its model loop is dead or stuck".to_string())
                }
                Answer::NoSlot => None,
                Answer::Refused(reason) => Some(reason),
            }
        } else {
            None
        };
        match (self.watch(index, true, self.deadline), trouble) {
            (Some(sign), None) => Ok(sign.to_string()),
            (Some(sign), Some(reason)) => Ok(format!("{sign} ({reason})")),
            (None, None) => Err(format!("has {} of {} slots taken and makes no steps", module.used, module.total)),
            (None, Some(reason)) => Err(format!("makes no steps, and {reason}")),
        }
    }

    /// Looks for a sign of life that costs no slot. As the last resort one that may come from another module's loop is
    /// taken too: a server that is well must not be called ill.
    fn watch(&self, index: usize, last_resort: bool, until: Instant) -> Option<&'static str> {
        let mut last: Option<u64> = None;
        let mut used = self.modules[index].used;
        loop {
            let now = modules::fetch_counters(self.server.address, self.modules[index].kind, until).ok();
            if last.zip(now).is_some_and(|(last, now)| now > last) {
                return Some("makes steps");
            }
            last = now.or(last);
            if let Some(now) =
                modules::fetch(self.server.address, until).ok().and_then(|now| Some(now.get(index)?.used))
            {
                if now < used {
                    return Some("frees slots");
                }
                used = now;
            }
            if let (true, Some(process)) = (last_resort, &self.server.process) {
                if threads::loop_runs(process.pid) {
                    return Some("is awake");
                }
            }
            if Instant::now() + PAUSE >= until {
                return None;
            }
            sleep(PAUSE);
        }
    }

    /// Takes a slot for as long as the loop needs to answer.
    fn ask(&self, module: &Module) -> Answer {
        let keys = match self.config {
            Ok(config) if !config.keys.is_empty() => &config.keys[..],
            Ok(config) if config.anonymous => &[String::new()],
            Ok(_) => return Answer::Refused("the config authorizes no key".to_string()),
            Err(message) => return Answer::Refused(message.clone()),
        };
        let path = match module.kind {
            Kind::Asr => module.path.clone(),
            // Without a format of messages a TTS server that is full closes without a word.
            Kind::Tts => format!("{}?format=PcmMessagePack", module.path),
        };
        let mut status = 0;
        for key in keys {
            match patiently(self.deadline, || WebSocket::open(self.server.address, &path, key, self.deadline)) {
                Ok(Opened::Open(socket)) => return converse(socket, module.kind),
                Ok(Opened::Refused(code)) => status = code,
                Err(error) if error.kind() == ErrorKind::TimedOut => return Answer::Silence,
                Err(error) => return Answer::Refused(format!("a new client gets: {error}")),
            }
        }
        Answer::Refused(format!("no key of the config is accepted (status {status}): was it changed after the start?"))
    }
}

fn converse(mut socket: WebSocket, kind: Kind) -> Answer {
    let mut greeted = false;
    loop {
        match socket.receive() {
            Ok(Message::Binary(data)) if contains(&data, b"Ready") => match kind {
                // Sent by the loop.
                Kind::Asr => {
                    socket.close();
                    return Answer::Alive("answers");
                }
                // Sent on connecting. An end without text makes the loop, and nothing else, give the slot back and
                // close the connection.
                Kind::Tts => {
                    greeted = true;
                    if socket.send(b"\0").is_err() {
                        return Answer::NoSlot;
                    }
                }
            },
            Ok(Message::Binary(data)) if contains(&data, b"Error") => return Answer::NoSlot,
            Ok(Message::Binary(_)) => {}
            Ok(Message::Close) => {
                socket.close();
                return if greeted { Answer::Alive("answers") } else { Answer::NoSlot };
            }
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                socket.close();
                return Answer::Silence;
            }
            Err(_) => return Answer::NoSlot,
        }
    }
}

fn contains(data: &[u8], word: &[u8]) -> bool {
    data.windows(word.len()).any(|window| window == word)
}
