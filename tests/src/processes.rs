//! Finding and signalling the processes of one world, and no others.

use std::{fs, path::Path, time::Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::PATIENCE;

/// Sends a signal to a process of this test.
pub fn signal(pid: u32, signal: Signal) {
    kill_process(to_pid(pid), signal)
        .unwrap_or_else(|error| panic!("cannot signal {pid}: {error}"));
}

/// Whether there is such a process; one that has ended and is not yet waited for does not count.
#[must_use]
pub fn is_running(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => !stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")),
        Err(_) => !Path::new("/proc/self").exists() && test_kill_process(to_pid(pid)).is_ok(),
    }
}

/// Processes that run `program` and have `mark`, a private path, in their arguments or environment.
#[must_use]
pub(crate) fn running(program: &Path, mark: &Path) -> Vec<u32> {
    let mark = mark.as_os_str().as_encoded_bytes();
    let mentions_mark = |process: &Path| {
        ["cmdline", "environ"].iter().any(|file| {
            fs::read(process.join(file))
                .is_ok_and(|content| content.windows(mark.len()).any(|window| window == mark))
        })
    };
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    // The program may have been built anew while it runs.
    let runs_program = |process: &Path| {
        fs::read_link(process.join("exe")).is_ok_and(|exe| {
            exe.to_string_lossy().trim_end_matches(" (deleted)") == program.to_string_lossy()
        })
    };
    processes
        .flatten()
        .filter(|entry| runs_program(&entry.path()))
        .filter(|entry| mentions_mark(&entry.path()))
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| is_running(*pid))
        .collect()
}

/// Kills all that [`running`] finds, until nothing is found: a shim may start another relay while
/// its own is killed.
pub(crate) fn kill_all(programs: &[&Path], mark: &Path) {
    let found = || programs.iter().flat_map(|program| running(program, mark)).collect::<Vec<_>>();
    let deadline = Instant::now() + PATIENCE;
    let mut pids = found();
    while !pids.is_empty() && Instant::now() < deadline {
        for pid in pids {
            // It may have ended by itself.
            let _ = kill_process(to_pid(pid), Signal::KILL);
        }
        pids = found();
    }
}

fn to_pid(pid: u32) -> Pid {
    Pid::from_raw(i32::try_from(pid).unwrap()).expect("a process has an id above zero")
}
