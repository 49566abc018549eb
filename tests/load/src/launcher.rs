//! Starts the processes that are measured, each on the gateway's core.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;

use crate::bare::{BareOptions, BareWork};
use crate::certificate::Certificate;
use crate::error::BenchError;
use crate::fleet::Fleet;
use crate::process::{BareProcess, GatewayProcess};
use crate::profiles::Profiles;
use crate::system::{self, Cores};

/// The source of gateways.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// A program that takes the options of `presence-gateway serve`.
    Gateway(PathBuf),
    /// A command line, in which `{port}` and `{token}` are replaced.
    Command(Vec<String>),
    /// A running gateway, and its process id if known.
    Running(SocketAddr, Option<u32>),
}

/// Starts gateways.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    pub(crate) source: Source,
    pub(crate) token: String,
    pub(crate) cores: Option<Cores>,
    /// Certificate of the servers that are started; beside a running gateway with TLS, of the bare server.
    pub(crate) certificate: Option<Rc<Certificate>>,
    /// Certificates that clients of the gateway trust; without them they do not encrypt.
    pub(crate) trust: Option<Arc<ClientConfig>>,
}

impl Launcher {
    /// Starts the same servers with TLS.
    pub(crate) fn encrypted(&self) -> Result<Self, BenchError> {
        let certificate = Certificate::new()?;
        Ok(Self {
            trust: Some(certificate.client()),
            certificate: Some(Rc::new(certificate)),
            ..self.clone()
        })
    }

    /// Returns a fleet for a gateway of this address, with TLS if the gateways have it.
    pub(crate) fn fleet(&self, address: SocketAddr) -> io::Result<Fleet> {
        Fleet::new(address, self.trust.clone())
    }

    /// Returns a fleet for a bare server of this address, with TLS if the gateways have it.
    pub(crate) fn bare_fleet(&self, address: SocketAddr) -> io::Result<Fleet> {
        let client = self.certificate.as_ref().map(|certificate| certificate.client());
        Fleet::new(address, client)
    }

    /// The unit of a figure that is a multiple of the bare server's.
    pub(crate) fn bare_unit(&self) -> &'static str {
        match self.certificate {
            Some(_) => "x bare TLS",
            None => "x bare TCP",
        }
    }

    /// The options that name the certificate, of gateways and of the bare server.
    fn tls_options(&self) -> Vec<OsString> {
        let files = self.certificate.iter().flat_map(|certificate| {
            [
                ("--tls-cert", certificate.path()),
                ("--tls-key", certificate.key_path()),
            ]
        });
        files
            .flat_map(|(option, path)| [option.into(), path.into()])
            .collect()
    }

    /// Whether gateways can be started and stopped.
    pub(crate) fn can_start(&self) -> bool {
        !matches!(self.source, Source::Running(..))
    }

    /// Whether gateways take the options of `presence-gateway serve`.
    pub(crate) fn is_own(&self) -> bool {
        matches!(self.source, Source::Gateway(_))
    }

    /// Starts a gateway on a free port. Only our own gets `options`.
    pub(crate) fn start(&self, profiles: &Profiles, options: &[&str]) -> Result<GatewayProcess, BenchError> {
        let port = free_port()?;
        self.start_on(port, profiles, options)
    }

    /// Starts a gateway on this port. Only our own gets `options`.
    pub(crate) fn start_on(
        &self,
        port: u16,
        profiles: &Profiles,
        options: &[&str],
    ) -> Result<GatewayProcess, BenchError> {
        let (program, arguments) = match &self.source {
            Source::Running(address, pid) => {
                return Ok(GatewayProcess::running(*address, *pid));
            }
            Source::Gateway(path) => {
                let port = port.to_string();
                let own = ["serve", "--port", &port, "--token", &self.token];
                let arguments = own.iter().chain(options).map(|word| (*word).to_owned()).collect();
                (path.clone(), arguments)
            }
            Source::Command(words) => {
                let mut words = words.iter().map(|word| {
                    word.replace("{port}", &port.to_string())
                        .replace("{token}", &self.token)
                });
                let program = words.next().unwrap_or_default();
                (program.into(), words.collect::<Vec<_>>())
            }
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .args(if self.is_own() {
                self.tls_options()
            } else {
                Vec::new()
            })
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let begun = Instant::now();
        let child = self.spawn(&mut command)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        GatewayProcess::started(address, child, profiles, begun, self.trust.clone())
    }

    /// Starts a bare server.
    pub(crate) fn bare(&self, options: &BareOptions) -> Result<BareProcess, BenchError> {
        let mut command = Command::new(std::env::current_exe()?);
        let work = match options.work {
            BareWork::Broadcast => "broadcast",
            BareWork::Answer => "answer",
        };
        command
            .args(["bare", "--work", work])
            .args(["--text-bytes", &options.text_bytes.to_string()])
            .args(["--request-bytes", &options.request_bytes.to_string()])
            .args(self.tls_options())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        BareProcess::started(self.spawn(&mut command)?)
    }

    /// A child inherits the core of its parent, so the parent moves there to spawn it.
    fn spawn(&self, command: &mut Command) -> Result<Child, BenchError> {
        if let Some(cores) = self.cores {
            system::pin(cores.gateway);
        }
        let child = command.spawn();
        if let Some(cores) = self.cores {
            system::pin(cores.generator);
        }
        child.map_err(|source| BenchError::Start {
            path: command.get_program().into(),
            source,
        })
    }
}

/// Returns a free port of loopback.
pub(crate) fn free_port() -> Result<u16, BenchError> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
