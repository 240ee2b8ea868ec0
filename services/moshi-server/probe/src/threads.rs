//! Sees from outside whether the model loop's thread is running: the last resort when no slot is free, nobody sends
//! anything and so no counter moves.
//!
//! A loop without work sleeps 2 ms at a time, which counts some 480 voluntary context switches a second. It runs on one
//! of tokio's blocking threads, which carry the same name as tokio's workers but start later: the workers are there
//! before the config is read, the loop when the model is loaded. A dead loop's thread waits without waking, and ends
//! after 10 s. Workers are left out, as clients that keep sending to a dead loop wake them as often. The threads of
//! rayon inherit the name; only the loop wakes them, so that they mislead nobody, but loops cannot be counted.

use std::collections::BTreeMap;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::server::start_tick;

const WINDOW: Duration = Duration::from_millis(250);
/// In a window; a loop makes 120 on an idle machine.
const SWITCHES: u64 = 10;
/// Ticks of 10 ms between the first worker and a thread that is no worker.
const WORKERS_START_WITHIN: u64 = 5;

/// Whether a model loop runs in the process. Takes a quarter of a second.
pub fn loop_runs(pid: i32) -> bool {
    let before = blocking_threads(pid);
    sleep(WINDOW);
    let after = blocking_threads(pid);
    after.iter().any(|(tid, switches)| before.get(tid).is_some_and(|earlier| *switches >= earlier + SWITCHES))
}

/// Thread number → voluntary context switches, of tokio's blocking threads.
fn blocking_threads(pid: i32) -> BTreeMap<i32, u64> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return BTreeMap::new() };
    let threads: Vec<(i32, u64, u64)> = tasks
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let tid = path.file_name()?.to_str()?.parse().ok()?;
            if !fs::read_to_string(path.join("comm")).ok()?.starts_with("tokio-r") {
                return None;
            }
            let started = start_tick(&fs::read_to_string(path.join("stat")).ok()?)?;
            Some((tid, started, voluntary(&fs::read_to_string(path.join("status")).ok()?)?))
        })
        .collect();
    let first = threads.iter().map(|(_, started, _)| *started).min().unwrap_or(0);
    threads
        .into_iter()
        .filter(|(_, started, _)| *started > first + WORKERS_START_WITHIN)
        .map(|(tid, _, switches)| (tid, switches))
        .collect()
}

fn voluntary(status: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{channel, Receiver, RecvTimeoutError};

    #[test]
    fn switches() {
        assert_eq!(voluntary("Name:\tx\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t3\n"), Some(12));
        assert_eq!(voluntary("Name:\tx\n"), None);
    }

    fn idle(stopped: &Receiver<()>) {
        while stopped.recv_timeout(Duration::from_millis(2)) == Err(RecvTimeoutError::Timeout) {}
    }

    #[test]
    fn a_loop_that_sleeps_is_seen_until_it_ends() {
        let (stop, stopped) = channel::<()>();
        let spawn = |name: &str| std::thread::Builder::new().name(name.to_string());
        let (worker_stop, worker_stopped) = channel::<()>();
        let worker = spawn("tokio-runtime-worker").spawn(move || idle(&worker_stopped)).unwrap();
        sleep(Duration::from_millis(200));
        let pid = i32::try_from(std::process::id()).unwrap();
        assert!(!loop_runs(pid), "a busy worker is no loop");
        let model = spawn("tokio-runtime-worker").spawn(move || idle(&stopped)).unwrap();
        // A thread sets its name itself.
        sleep(Duration::from_millis(50));
        assert!(loop_runs(pid));
        drop(stop);
        model.join().unwrap();
        assert!(!loop_runs(pid));
        drop(worker_stop);
        worker.join().unwrap();
    }
}
