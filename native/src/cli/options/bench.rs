//! Options of `bench`.

use std::path::PathBuf;

use clap::Args;

use crate::bench::Scale;

/// Options of the load generator.
#[derive(Args, Clone, Debug)]
pub struct BenchOptions {
    /// Measure this running gateway instead of one started for each measurement
    #[arg(long)]
    pub url: Option<String>,
    /// Token of that gateway [default: made for this run]
    #[arg(long, env = "OPENCLAW_GATEWAY_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Process id of that gateway, for memory and processor time
    #[arg(long, requires = "url")]
    pub pid: Option<u32>,
    /// Only this measurement (may be repeated)
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// List the measurements and exit
    #[arg(long)]
    pub list: bool,
    /// Extent of the measurements
    #[arg(long, value_enum, default_value_t)]
    pub(crate) scale: Scale,
    /// Write all figures to this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Name of the gateway in the report
    #[arg(long, default_value = "presence-gateway")]
    pub label: String,
    /// `client.id/client.mode` of clients that get no row
    #[arg(long, value_name = "ID/MODE", default_value = "cli/cli", value_parser = pair)]
    pub observer: (String, String),
    /// `client.id/client.mode` of clients that get one
    #[arg(long, value_name = "ID/MODE", default_value = "test/test", value_parser = pair)]
    pub tracked: (String, String),
    /// Clients that get a row connect without a device key: measures storms without signature verification
    #[arg(long)]
    pub unsigned: bool,
    /// Let the system choose where gateway and generator run, instead of one core for each
    #[arg(long)]
    pub no_pin: bool,
    /// The command line of another gateway, in which {port} and {token} are replaced
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "url")]
    pub command: Vec<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((id, mode)) if !id.is_empty() && !mode.is_empty() => Ok((id.to_owned(), mode.to_owned())),
        _ => Err("write client.id/client.mode, as cli/cli".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    fn parse(line: &str) -> Result<BenchOptions, String> {
        let words = format!("presence-gateway bench {line}");
        match Cli::try_parse_from(words.split_whitespace()) {
            Ok(Cli {
                command: Some(Command::Bench(options)),
                ..
            }) => Ok(*options),
            Ok(_) => Err("another command".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn another_gateways_command_line_is_kept_as_it_is() {
        let options =
            parse("--only start --only storm --scale peer -- node x.mjs --port {port} --only y").unwrap();
        assert_eq!(options.only, ["start", "storm"]);
        assert_eq!(options.scale, Scale::Peer);
        assert_eq!(
            options.command,
            ["node", "x.mjs", "--port", "{port}", "--only", "y"]
        );
    }

    #[test]
    fn clients_are_named_by_id_and_mode() {
        let options = parse("--observer gateway-client/backend").unwrap();
        assert_eq!(
            options.observer,
            ("gateway-client".to_owned(), "backend".to_owned())
        );
        for wrong in [
            "--observer cli",
            "--tracked /x",
            "--pid 3",
            "--url ws://h -- node",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
