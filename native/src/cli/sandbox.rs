//! The Landlock sandbox of `serve`: once it listens, the process opens no files, starts no programs and opens no
//! connections, with the exceptions below. Injected code can then neither read files nor reach other machines.

use std::fmt;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::path::PathBuf;

/// The extent of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sandbox {
    /// All rules.
    #[cfg(target_os = "linux")]
    Full,
    /// The rules that this kernel supports.
    #[cfg(target_os = "linux")]
    Partial,
    /// No rules: this system has no Landlock, or forbids it.
    Absent,
}

impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            #[cfg(target_os = "linux")]
            Self::Full => "full",
            #[cfg(target_os = "linux")]
            Self::Partial => "partial",
            Self::Absent => "none",
        })
    }
}

/// Exceptions from the sandbox.
#[derive(Clone, Debug, Default)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "other systems have no sandbox")
)]
pub(super) struct Needs<'a> {
    /// Files that are read again, with the files that replace them in their folders.
    pub(super) files: Vec<&'a Path>,
    /// Folders in which the process makes, writes and removes files.
    pub(super) written: Vec<&'a Path>,
    /// Ports to which the process connects, on any machine.
    pub(super) ports: Vec<u16>,
    /// Whether the process resolves host names.
    pub(super) looks_up_names: bool,
    /// Whether the process reads the authorities of this system each time it connects, as the NATS client always
    /// does.
    pub(super) reads_authorities: bool,
}

/// Files of name resolution, which also loads libraries. Programs replace some of them while the gateway runs, for
/// example when a network is joined, so their folders can be read.
#[cfg(target_os = "linux")]
const NAME_FILES: [&str; 6] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/ld.so.cache",
];
#[cfg(target_os = "linux")]
const NAME_FOLDERS: [&str; 5] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/run/systemd/resolve"];
/// Folders of the authorities of this system.
#[cfg(target_os = "linux")]
const AUTHORITY_FOLDERS: [&str; 4] = [
    "/etc/ssl",
    "/etc/pki",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
];
/// Port of DNS over TCP, for long answers.
#[cfg(target_os = "linux")]
const NAME_PORT: u16 = 53;

/// Gives up rights that a gateway does not need once it listens: opening files, listening on further ports, opening
/// connections, and sending signals to other processes. Applies to this thread and those that it starts.
#[cfg(target_os = "linux")]
pub(super) fn enter(needs: &Needs<'_>) -> Sandbox {
    use landlock::RulesetStatus;

    let threads = std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count);
    if threads > 1 {
        tracing::error!(threads, "threads that started before the sandbox keep all rights");
    }
    match restrict(needs) {
        Ok(RulesetStatus::FullyEnforced) => Sandbox::Full,
        Ok(RulesetStatus::PartiallyEnforced) => Sandbox::Partial,
        Ok(RulesetStatus::NotEnforced) => Sandbox::Absent,
        Err(error) => {
            tracing::warn!(%error, "the process keeps all its rights: Landlock failed");
            Sandbox::Absent
        }
    }
}

/// Returns how many of the rules this kernel enforces. A kernel without Landlock enforces none, which is not an error.
///
/// # Errors
/// When the kernel refuses a rule that it supports.
#[cfg(target_os = "linux")]
fn restrict(needs: &Needs<'_>) -> Result<landlock::RulesetStatus, landlock::RulesetError> {
    use landlock::{
        ABI, Access, AccessFs, AccessNet, NetPort, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
        Scope, path_beneath_rules,
    };

    /// The requested rules; a kernel enforces those that it supports.
    const ASKED: ABI = ABI::V6;
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(ASKED))?
        .handle_access(AccessNet::from_all(ASKED))?
        .scope(Scope::from_all(ASKED))?;
    let paths = needs.files.iter().flat_map(|file| paths_of(file));
    let readable = path_beneath_rules(paths, AccessFs::ReadFile);
    let names = if needs.looks_up_names {
        let files = NAME_FILES.iter().flat_map(|file| paths_of(Path::new(file)));
        files.chain(NAME_FOLDERS.map(PathBuf::from)).collect()
    } else {
        Vec::new()
    };
    let name_port = needs.looks_up_names.then_some(NAME_PORT);
    let ports = needs.ports.iter().copied().chain(name_port);
    let ports = ports.map(|port| Ok::<_, RulesetError>(NetPort::new(port, AccessNet::ConnectTcp)));
    let rules = rules.create()?.add_rules(readable)?;
    let rules = rules.add_rules(path_beneath_rules(names, AccessFs::ReadFile))?;
    let authorities: &[&str] = if needs.reads_authorities {
        &AUTHORITY_FOLDERS
    } else {
        &[]
    };
    let rules = rules.add_rules(path_beneath_rules(
        authorities,
        AccessFs::ReadFile | AccessFs::ReadDir,
    ))?;
    let rules = rules.add_rules(path_beneath_rules(
        &needs.written,
        AccessFs::ReadFile
            | AccessFs::ReadDir
            | AccessFs::WriteFile
            | AccessFs::Truncate
            | AccessFs::MakeReg
            | AccessFs::RemoveFile,
    ))?;
    let rules = rules.add_rules(ports)?;
    Ok(rules.restrict_self()?.ruleset)
}

/// The file, and the folders that hold it or a link to it, because a renewed certificate is often behind a new link.
/// The root of the file system is left out, because it would allow all files: a file in it can be read again if it
/// was overwritten, not if it was replaced.
#[cfg(target_os = "linux")]
fn paths_of(file: &Path) -> Vec<PathBuf> {
    /// Most links that are followed, as in the kernel.
    const MAX_LINKS: usize = 40;

    let mut paths = Vec::new();
    let mut path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    for _ in 0..MAX_LINKS {
        let steps: Vec<_> = path.ancestors().collect();
        let link = steps.iter().rev().find_map(|step| {
            let target = std::fs::read_link(step).ok()?;
            Some((*step, step.parent()?, target))
        });
        let next = link.map(|(step, parent, target)| {
            let rest = path.strip_prefix(step).unwrap_or_else(|_| Path::new(""));
            let next = if rest.as_os_str().is_empty() {
                parent.join(target)
            } else {
                parent.join(target).join(rest)
            };
            (parent, next)
        });
        let parent = next.as_ref().map(|(parent, _)| *parent).or_else(|| path.parent());
        paths.extend(parent.and_then(|parent| parent.canonicalize().ok()));
        match next {
            Some((_, next)) => path = next,
            None => break,
        }
    }
    paths.retain(|folder: &PathBuf| folder.parent().is_some());
    paths.push(path);
    paths
}

/// Other systems have no restriction that a process can set for itself.
#[cfg(not(target_os = "linux"))]
pub(super) fn enter(_: &Needs<'_>) -> Sandbox {
    Sandbox::Absent
}

/// Keeps secrets out of core dumps: a process that crashes leaves none.
#[cfg(target_os = "linux")]
pub(super) fn forbid_core_dumps() {
    use rustix::process::{DumpableBehavior, set_dumpable_behavior};

    // With a limit of 0 bytes Linux still pipes the dump to a program that `core_pattern` names, such as apport. A
    // limit of 1 byte prevents that too, and files, which are larger. Only privileged processes may raise a limit of 0.
    // The second way is worse: it hides the files of the process in /proc from its user, so no other `serve` can state
    // who holds the port.
    if !limit_core_dumps(1) {
        // The gateway does not depend on it.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
pub(super) fn forbid_core_dumps() {
    // The gateway does not depend on it.
    let _ = limit_core_dumps(0);
}

#[cfg(unix)]
fn limit_core_dumps(bytes: u64) -> bool {
    use rustix::process::{Resource, Rlimit, setrlimit};

    let limit = Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    setrlimit(Resource::Core, limit).is_ok()
}

#[cfg(not(unix))]
pub(super) fn forbid_core_dumps() {}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::print_stderr, reason = "a test states what it skips")]
mod tests {
    use std::io::{ErrorKind, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;

    /// The rest of the tests must not be in it: only this thread is.
    #[test]
    fn the_sandbox_blocks_new_files_and_keeps_open_ones() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let allowed = other.local_addr().unwrap();
        let inside = thread::spawn(move || {
            let folder = std::env::temp_dir().join(format!("presence-history-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            let needs = Needs {
                written: vec![&folder],
                ports: vec![allowed.port()],
                looks_up_names: true,
                reads_authorities: true,
                files: vec![Path::new("/proc/self/cmdline")],
            };
            // An error is a bug, also on a kernel without Landlock.
            restrict(&needs).unwrap();
            // A second one adds to the first.
            let sandbox = enter(&Needs {
                files: Vec::new(),
                ..needs
            });
            if sandbox == Sandbox::Absent {
                eprintln!("skipped: this kernel has no Landlock");
                return sandbox;
            }
            if sandbox == Sandbox::Partial {
                eprintln!("skipped in part: this kernel has no Landlock rules for sockets");
            }
            // As a file of name resolution that was replaced.
            std::fs::read("/etc/passwd").unwrap();
            let read = std::fs::read("/proc/self/status").unwrap_err();
            assert_eq!(read.kind(), ErrorKind::PermissionDenied);
            let file = std::env::temp_dir().join("presence-gateway-sandbox");
            assert_eq!(
                std::fs::write(file, "").unwrap_err().kind(),
                ErrorKind::PermissionDenied
            );
            let file = folder.join("history-wal");
            std::fs::write(&file, "x").unwrap();
            std::fs::remove_file(&file).unwrap();
            assert!(std::process::Command::new("/bin/true").spawn().is_err());
            if sandbox == Sandbox::Full {
                let connect = TcpStream::connect(address).unwrap_err();
                assert_eq!(connect.kind(), ErrorKind::PermissionDenied);
                assert!(TcpListener::bind("127.0.0.1:0").is_err());
                TcpStream::connect(allowed).unwrap();
            }
            // Earlier listeners continue.
            listener.accept().unwrap().0.write_all(b"hi").unwrap();
            sandbox
        });
        // Without a sandbox the listener is closed before it accepts.
        let mut text = String::new();
        let _ = TcpStream::connect(address).and_then(|mut stream| stream.read_to_string(&mut text));
        if inside.join().unwrap() != Sandbox::Absent {
            assert_eq!(text, "hi");
        }
    }

    #[test]
    fn a_file_its_folder_and_those_of_its_links_can_be_read_but_not_the_root() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["live", "archive"] {
            std::fs::create_dir(root.join(name)).unwrap();
        }
        std::fs::write(root.join("archive/cert.pem"), "").unwrap();
        symlink("../archive/cert.pem", root.join("live/cert.pem")).unwrap();
        let file = root.join("live/../archive/cert.pem");
        assert_eq!(
            paths_of(&root.join("live/cert.pem")),
            [root.join("live"), root.join("archive"), file]
        );
        assert_eq!(paths_of(Path::new("/cert.pem")), [Path::new("/cert.pem")]);
    }
}
