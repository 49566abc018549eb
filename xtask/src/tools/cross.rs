//! C compilers and emulators for other kinds of Linux.

use crate::failure::Failure;
use crate::process::Program;
use crate::project::Project;
use crate::tools::apt;
use crate::tools::rust::ensure_target;

/// A Linux target that the gateway is built for, besides that of this machine.
#[derive(Debug)]
pub(crate) struct Linux {
    /// Its Rust target triple.
    pub(crate) target: &'static str,
    /// The C compiler.
    compiler: &'static str,
    /// Whether its C compiler links, instead of that of this machine.
    is_linker: bool,
    /// Debian's packages with the compiler and the C library.
    packages: &'static [&'static str],
    /// The emulator for its programs, if this machine needs one: a program of QEMU, and the folder of the C library.
    emulator: Option<(&'static str, &'static str)>,
}

/// All targets: ARM with Debian's C library, musl for the processor of this machine.
pub(crate) static LINUXES: [Linux; 3] = [
    Linux {
        target: if cfg!(target_arch = "aarch64") {
            "aarch64-unknown-linux-musl"
        } else {
            "x86_64-unknown-linux-musl"
        },
        compiler: "musl-gcc",
        // As linker it would add musl's start files to those of Rust, and the program would crash at its start.
        is_linker: false,
        packages: &["musl-tools"],
        emulator: None,
    },
    Linux {
        target: "aarch64-unknown-linux-gnu",
        compiler: "aarch64-linux-gnu-gcc",
        is_linker: true,
        packages: &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
        emulator: Some(("qemu-aarch64", "/usr/aarch64-linux-gnu")),
    },
    Linux {
        target: "armv7-unknown-linux-gnueabihf",
        compiler: "arm-linux-gnueabihf-gcc",
        is_linker: true,
        packages: &["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"],
        emulator: Some(("qemu-arm", "/usr/arm-linux-gnueabihf")),
    },
];

impl Linux {
    /// Whether everything is installed.
    pub(crate) fn has_compiler(&self, project: &Project) -> bool {
        answers(project, self.compiler)
    }

    /// Installs Rust's standard library and the C compiler if they are missing.
    ///
    /// # Errors
    /// When one is missing and cannot be installed.
    pub(crate) fn ensure(&self, project: &Project) -> Result<(), Failure> {
        ensure_target(project, self.target)?;
        ensure_program(project, self.compiler, self.packages)
    }

    /// Configures `program`, a cargo, to compile C for this target and to link.
    pub(crate) fn configure(&self, program: Program) -> Program {
        let name = self.target.replace('-', "_");
        let program = program
            .with(["--target", self.target])
            .env(&format!("CC_{name}"), self.compiler);
        if self.is_linker {
            program.env(
                &format!("CARGO_TARGET_{}_LINKER", name.to_uppercase()),
                self.compiler,
            )
        } else {
            program
        }
    }

    /// Whether this machine runs its programs by itself.
    pub(crate) fn runs_here(&self) -> bool {
        cfg!(target_os = "linux") && self.emulator.is_none()
    }

    /// Installs the emulator if one is needed; returns the words that precede the program.
    ///
    /// # Errors
    /// When the emulator is missing and cannot be installed.
    pub(crate) fn ensure_emulator(&self, project: &Project) -> Result<Vec<&'static str>, Failure> {
        let Some((program, libraries)) = self.emulator else {
            return Ok(Vec::new());
        };
        ensure_program(project, program, &["qemu-user"])?;
        Ok(vec![program, "-L", libraries])
    }
}

fn ensure_program(project: &Project, program: &str, packages: &[&str]) -> Result<(), Failure> {
    if !answers(project, program) {
        apt::install(project, program, packages)?;
    }
    if answers(project, program) {
        return Ok(());
    }
    let packages = packages.join(" ");
    Err(Failure::missing(format!(
        "there is no {program}: install it (Debian: `apt-get install {packages}`)"
    )))
}

fn answers(project: &Project, program: &str) -> bool {
    Program::new(project, program)
        .with(["--version"])
        .output()
        .is_some()
}
