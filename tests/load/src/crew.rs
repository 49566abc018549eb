//! Who the clients of a measurement say they are, and what they ask.

use std::fmt::Write as _;
use std::rc::Rc;

use presence_core::client::ClientConfig;
use presence_core::model::ClientInfo;

use crate::bench::WAIT;
use crate::error::BenchError;
use crate::fleet::{Fleet, Plan};
use crate::signer::Signer;

/// What every client asks for: to read, and to tell about any row.
const SCOPES: [&str; 3] = ["operator.admin", "operator.read", "operator.write"];
/// Beacons under way while rows are made.
const FILL_DEPTH: usize = 16;

/// Makes clients.
pub(crate) struct Crew {
    pub(crate) token: String,
    /// `client.id` and `client.mode` of clients that make no row.
    pub(crate) observer: (String, String),
    /// The same of those that do.
    pub(crate) tracked: (String, String),
    /// Whether those who make rows prove a device key.
    pub(crate) is_signed: bool,
    /// Tells this run's clients from those of others.
    pub(crate) run: u64,
}

impl Crew {
    /// A client that makes no row and may read.
    pub(crate) fn observer(&self, deltas: bool, keeps: bool) -> Plan {
        Plan {
            client: Some(self.config(&self.observer, None, deltas)),
            signer: None,
            keeps,
        }
    }

    /// Client number `number`, which makes a row of its own, with a device proof if it has a key.
    pub(crate) fn tracked(
        &self,
        number: usize,
        signer: Option<&Rc<Signer>>,
        deltas: bool,
        keeps: bool,
    ) -> Plan {
        let instance_id = format!("bench-{:x}-{number}", self.run);
        let mut config = self.config(&self.tracked, Some(instance_id), deltas);
        config.device = signer.map(|signer| signer.device());
        Plan {
            client: Some(config),
            signer: signer.cloned(),
            keeps,
        }
    }

    /// A connection to the bare server.
    pub(crate) fn bare() -> Plan {
        Plan {
            client: None,
            signer: None,
            keeps: false,
        }
    }

    /// Device keys for so many clients, unless they are to have none.
    pub(crate) fn signers(&self, count: usize) -> Vec<Option<Rc<Signer>>> {
        let signer = |number| Rc::new(Signer::new(self.run, number as u64));
        (0..count)
            .map(|number| self.is_signed.then(|| signer(number)))
            .collect()
    }

    fn config(
        &self,
        (id, mode): &(String, String),
        instance_id: Option<String>,
        deltas: bool,
    ) -> ClientConfig {
        let info = ClientInfo {
            id: id.as_str().into(),
            mode: mode.as_str().into(),
            version: env!("CARGO_PKG_VERSION").into(),
            platform: "linux".into(),
            display_name: instance_id.as_deref().map(Box::from),
            instance_id: instance_id.map(Into::into),
            ..ClientInfo::default()
        };
        ClientConfig {
            token: Some(self.token.as_str().into()),
            scopes: Some(SCOPES.map(Box::from).to_vec()),
            deltas,
            ..ClientConfig::new(info)
        }
    }
}

/// The request that reports row number `row`; `mark` makes it another text every time. About as long
/// as a mac app's: 200 rows make 81 kB.
pub(crate) fn beacon(id: u64, row: usize, mark: u64) -> String {
    let (high, low) = ((row >> 8) & 255, row & 255);
    let mut text = String::with_capacity(640);
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        r#"{{"type":"req","id":"b{id}","method":"system-event","params":{{"text":"Node: host-fill-{row} (10.0.{high}.{low}) · app 1.2.3 · last input 12s ago · mode ui · reason periodic {mark:010}","instanceId":"fill-{row}","host":"host-fill-{row}","ip":"10.0.{high}.{low}","version":"1.2.3","platform":"macos 26.0.0","deviceFamily":"Mac","modelIdentifier":"Mac15,3","mode":"ui","lastInputSeconds":12,"reason":"periodic","roles":["operator"],"scopes":["operator.read","operator.write"]}}}}"#
    );
    text
}

/// A request of constant length for the list.
pub(crate) fn list_request(id: u64) -> String {
    format!(r#"{{"type":"req","id":"{id:010}","method":"system-presence","params":{{}}}}"#)
}

/// Makes rows until there are so many, the gateway's own included, through connection 0.
pub(crate) fn fill(fleet: &mut Fleet, rows: usize) -> Result<(), BenchError> {
    let rows: Vec<usize> = (0..rows.saturating_sub(1)).collect();
    for some in rows.chunks(FILL_DEPTH) {
        let before = fleet.links[0].seen;
        for &row in some {
            fleet.links[0].push(&beacon(row as u64, row, 0));
        }
        fleet.links[0].flush();
        let wanted = before.responses + some.len() as u64;
        let is_done = fleet.pump(WAIT, |fleet| fleet.links[0].seen.responses >= wanted)?;
        if !is_done || fleet.links[0].seen.refused > before.refused {
            return Err(BenchError::Gateway("the gateway takes no beacons".to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_prove_a_key_unless_they_are_to_have_none() {
        for is_signed in [true, false] {
            let crew = Crew {
                token: String::new(),
                observer: ("cli".to_owned(), "cli".to_owned()),
                tracked: ("test".to_owned(), "test".to_owned()),
                is_signed,
                run: 1,
            };
            let signers = crew.signers(2);
            assert_eq!(signers.len(), 2);
            let plan = crew.tracked(0, signers[0].as_ref(), false, false);
            assert_eq!(plan.client.unwrap().device.is_some(), is_signed);
        }
    }

    #[test]
    fn requests_are_json_of_constant_length() {
        for text in [beacon(7, 300, 9), list_request(3)] {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["type"], "req");
        }
        assert_eq!(list_request(0).len(), list_request(4_000_000_000).len());
        assert_eq!(beacon(1, 7, 0).len(), beacon(1, 7, 999_999).len());
    }
}
