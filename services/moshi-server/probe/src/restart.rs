//! Ends a server that has been unhealthy several times in a row, for engines that show an unhealthy container but do
//! not restart it: its restart policy does, once the process is gone.
//!
//! A probe is a process of its own each time, so the count lies in /dev/shm, which can be written to where the root
//! cannot. Containers may share that folder (`ipc: host`), with each other and with strangers: the file is named by the
//! process namespace, in which the server's number means one process, and only a plain file of that name is used.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::check::Verdict;
use crate::server::Process;

const FOLDER: &str = "/dev/shm";
const SIGTERM: i32 = 15;

// Of open(2); Linux numbers O_NOFOLLOW by architecture. Without O_NONBLOCK a pipe would be waited for.
#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "riscv64"))]
const O_NOFOLLOW: i32 = 0o400_000;
#[cfg(any(target_arch = "arm", target_arch = "aarch64", target_arch = "powerpc64"))]
const O_NOFOLLOW: i32 = 0o100_000;
const O_NONBLOCK: i32 = 0o4000;

/// Counts an unhealthy verdict, forgets the count at any other; at the given number the server is ended.
pub fn count(verdict: Verdict, process: &Process, limit: u32) -> Verdict {
    match file(Path::new("/proc/self/ns/pid")) {
        Ok(file) => count_in(&file, verdict, process, limit, terminate),
        Err(error) => match verdict {
            Verdict::Unhealthy(reason) => Verdict::Unhealthy(format!("{reason}; cannot count: {error}")),
            other => other,
        },
    }
}

/// The file of a process namespace, which reads as `pid:[4026531836]`.
fn file(namespace: &Path) -> Result<PathBuf, io::Error> {
    let number: String = fs::read_link(namespace)?.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    Ok(Path::new(FOLDER).join(format!("moshi-health.{number}")))
}

/// Opens a plain file, never what a link points to.
fn open(file: &Path, options: &mut OpenOptions) -> Result<File, io::Error> {
    let opened = options.custom_flags(O_NOFOLLOW | O_NONBLOCK).mode(0o600).open(file)?;
    if opened.metadata()?.is_file() {
        Ok(opened)
    } else {
        Err(io::Error::other("not a plain file"))
    }
}

fn read(file: &Path) -> Result<String, io::Error> {
    let mut line = String::new();
    open(file, OpenOptions::new().read(true))?.take(100).read_to_string(&mut line)?;
    Ok(line)
}

fn write(file: &Path, line: &str) -> Result<(), io::Error> {
    // Emptied once it is known to be a plain file.
    let mut opened = open(file, OpenOptions::new().write(true).create(true))?;
    opened.set_len(0)?;
    opened.write_all(line.as_bytes())
}

fn count_in(file: &Path, verdict: Verdict, process: &Process, limit: u32, end: impl Fn(i32)) -> Verdict {
    let Verdict::Unhealthy(reason) = verdict else {
        let _ = fs::remove_file(file);
        return verdict;
    };
    let failures = 1 + read(file).ok().and_then(|line| earlier(&line, process)).unwrap_or(0);
    if failures >= limit {
        end(process.pid);
        return Verdict::Unhealthy(format!("{reason}; {failures} times in a row: server ended"));
    }
    match write(file, &format!("{} {} {failures}\n", process.pid, process.started)) {
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

    #[test]
    fn each_process_namespace_has_a_file_of_its_own() {
        let folder = std::env::temp_dir().join(format!("moshi-health-names-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let names = ["pid:[4026531836]", "pid:[4026532999]"].map(|target| {
            let link = folder.join(target);
            std::os::unix::fs::symlink(target, &link).unwrap();
            file(&link).unwrap()
        });
        assert_eq!(names, ["/dev/shm/moshi-health.4026531836", "/dev/shm/moshi-health.4026532999"].map(PathBuf::from));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn only_a_plain_file_is_used() {
        let folder = std::env::temp_dir().join(format!("moshi-health-links-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let (victim, link) = (folder.join("victim"), folder.join("link"));
        fs::write(&victim, "7 1 5\n").unwrap();
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        let verdict =
            count_in(&link, Verdict::Unhealthy("dead".to_string()), &Process { pid: 7, started: 1 }, 2, |_| {
                panic!("a count behind a link was believed")
            });
        assert!(verdict.to_string().contains("cannot count in"), "{verdict}");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "7 1 5\n");
        assert!(read(&folder).is_err(), "a folder");
        fs::remove_dir_all(&folder).unwrap();
    }
}
