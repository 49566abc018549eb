//! Memory, processor time and cores of processes. Outside Linux most figures are missing.

use std::collections::BTreeSet;
use std::time::Duration;

/// A core for the gateway and one for this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cores {
    pub(crate) gateway: usize,
    pub(crate) generator: usize,
}

/// Raises the limit of open files to the hard limit. Returns it.
#[cfg(unix)]
pub(crate) fn raise_open_files() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let current = if setrlimit(Resource::Nofile, raised).is_ok() {
        raised.current
    } else {
        limit.current
    };
    current
        .and_then(|files| usize::try_from(files).ok())
        .unwrap_or(usize::MAX)
}

#[cfg(not(unix))]
pub(crate) fn raise_open_files() -> usize {
    usize::MAX
}

/// The first two cores that this process may use; `None` if there are fewer or the system has no affinity.
#[cfg(target_os = "linux")]
pub(crate) fn cores() -> Option<Cores> {
    use rustix::thread::{CpuSet, sched_getaffinity};

    let allowed = sched_getaffinity(None).ok()?;
    let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
    Some(Cores {
        gateway: cores.next()?,
        generator: cores.next()?,
    })
}

/// Pins this thread, and processes it spawns later, to one core. Returns whether that worked.
#[cfg(target_os = "linux")]
pub(crate) fn pin(core: usize) -> bool {
    use rustix::thread::{CpuSet, sched_setaffinity};

    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(None, &set).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn cores() -> Option<Cores> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn pin(_core: usize) -> bool {
    false
}

/// Resident memory of a process in kB: now, and its peak.
pub(crate) fn memory_kb(pid: u32) -> Option<(f64, f64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let field = |name: &str| -> Option<f64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}

/// Processor time that all threads of a process have used.
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let nanoseconds = threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    Some(Duration::from_nanos(nanoseconds))
}

/// The descendants of a process.
pub(crate) fn descendants(pid: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name is in parentheses and may contain anything.
            let parent = stat
                .rsplit_once(") ")?
                .1
                .split_whitespace()
                .nth(1)?
                .parse()
                .ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut found = vec![pid];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
        at += 1;
    }
    found.split_off(1)
}

/// Sends SIGTERM.
#[cfg(unix)]
pub(crate) fn terminate(pid: u32) {
    use rustix::process::{Pid, Signal, kill_process};

    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may be gone already.
        let _ = kill_process(pid, Signal::TERM);
    }
}

#[cfg(not(unix))]
pub(crate) fn terminate(_pid: u32) {}

/// Client ports of the local connections that are established on the server's side. Slow if many connections ended
/// recently.
pub(crate) fn established(server_port: u16) -> Option<BTreeSet<u16>> {
    let mut ports = None;
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Ok(text) = std::fs::read_to_string(table) else {
            continue;
        };
        let ports: &mut BTreeSet<u16> = ports.get_or_insert_default();
        ports.extend(text.lines().skip(1).filter_map(|line| {
            let mut fields = line.split_whitespace().skip(1);
            let port = |address: Option<&str>| u16::from_str_radix(address?.rsplit_once(':')?.1, 16).ok();
            let (own, other) = (port(fields.next())?, port(fields.next())?);
            (own == server_port && fields.next() == Some("01")).then_some(other)
        }));
    }
    ports
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_this_process_is_readable() {
        let (now, most) = memory_kb(std::process::id()).unwrap();
        assert!(now > 100.0 && most >= now);
        assert!(cpu_time(std::process::id()).is_some());
        assert!(memory_kb(u32::MAX).is_none());
        assert!(raise_open_files() >= 64);
    }

    #[test]
    fn children_are_found() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        assert!(descendants(std::process::id()).contains(&child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn the_other_end_of_a_connection_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server_port = listener.local_addr().unwrap().port();
        let client = std::net::TcpStream::connect(("127.0.0.1", server_port)).unwrap();
        let client_port = client.local_addr().unwrap().port();
        let accepted = listener.accept().unwrap();
        assert!(established(server_port).unwrap().contains(&client_port));
        drop(accepted);
        drop(client);
        assert!(!established(server_port).unwrap().contains(&client_port));
    }
}
