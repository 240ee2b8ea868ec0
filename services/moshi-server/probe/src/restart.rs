//! Ends a server that has been unhealthy several times in a row, for engines that show an unhealthy container but do
//! not restart it: its restart policy does, once the process is gone.
//!
//! A probe is a process of its own each time, so the count lies in /dev/shm, which can be written to where the root
//! cannot.

use std::fs;
use std::path::Path;

use crate::check::Verdict;
use crate::server::Process;

const COUNT: &str = "/dev/shm/moshi-health";
const SIGTERM: i32 = 15;

/// Counts an unhealthy verdict, forgets the count at any other; at the given number the server is ended.
pub fn count(verdict: Verdict, process: &Process, limit: u32) -> Verdict {
    count_in(Path::new(COUNT), verdict, process, limit, terminate)
}

fn count_in(file: &Path, verdict: Verdict, process: &Process, limit: u32, end: impl Fn(i32)) -> Verdict {
    let Verdict::Unhealthy(reason) = verdict else {
        let _ = fs::remove_file(file);
        return verdict;
    };
    let failures = 1 + fs::read_to_string(file).ok().and_then(|line| earlier(&line, process)).unwrap_or(0);
    if failures >= limit {
        end(process.pid);
        return Verdict::Unhealthy(format!("{reason}; {failures} times in a row: server ended"));
    }
    match fs::write(file, format!("{} {} {failures}\n", process.pid, process.started)) {
        Ok(()) => Verdict::Unhealthy(reason),
        Err(error) => Verdict::Unhealthy(format!("{reason}; cannot count in {}: {error}", file.display())),
    }
}

/// The failures of this very process.
fn earlier(line: &str, process: &Process) -> Option<u32> {
    line.trim().strip_prefix(&format!("{} {} ", process.pid, process.started))?.parse().ok()
}

fn terminate(pid: i32) {
    extern "C" {
        fn kill(pid: i32, signal: i32) -> i32;
    }
    // SAFETY: the C library's kill(2), which std links anyway; it touches no memory.
    unsafe {
        kill(pid, SIGTERM);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn ends_the_server_at_the_limit_and_forgets_in_between() {
        let file = std::env::temp_dir().join(format!("moshi-health-test-{}", std::process::id()));
        let ended = Cell::new(0);
        let process = Process { pid: 7, started: 1 };
        let run = |verdict: Verdict, process: &Process| count_in(&file, verdict, process, 2, |pid| ended.set(pid));
        let bad = || Verdict::Unhealthy("dead".to_string());
        assert_eq!(run(bad(), &process), bad());
        run(Verdict::Healthy(String::new()), &process);
        assert_eq!(run(bad(), &process), bad());
        assert_eq!(run(bad(), &Process { pid: 7, started: 2 }), bad(), "another process counts anew");
        assert_eq!(ended.get(), 0);
        let last = run(bad(), &Process { pid: 7, started: 2 });
        assert_eq!(ended.get(), 7);
        assert_eq!(last, Verdict::Unhealthy("dead; 2 times in a row: server ended".to_string()));
        fs::remove_file(&file).unwrap();
    }
}
