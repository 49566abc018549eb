//! Identities of the clients of a measurement.

use std::rc::Rc;

use presence_core::client::ClientConfig;
use presence_core::model::ClientInfo;

use crate::fleet::Plan;
use crate::signer::Signer;

/// Scopes of every client: to read, and to write any row.
const SCOPES: [&str; 3] = ["operator.admin", "operator.read", "operator.write"];

/// Makes plans for clients.
pub(crate) struct Profiles {
    pub(crate) token: String,
    /// `client.id` and `client.mode` of clients without a row.
    pub(crate) observer: (String, String),
    /// `client.id` and `client.mode` of clients with a row.
    pub(crate) tracked: (String, String),
    /// Whether clients with a row prove a device key.
    pub(crate) is_signed: bool,
    /// Number of the run: part of every instance id.
    pub(crate) run: u64,
}

impl Profiles {
    /// A client without a row.
    pub(crate) fn observer(&self, deltas: bool, keeps: bool) -> Plan {
        Plan {
            client: Some(self.config(&self.observer, None, deltas)),
            signer: None,
            keeps,
        }
    }

    /// Client number `number`, with a row of its own, and with a device proof if it has a signer.
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

    /// Device keys for `count` clients, or none if [`is_signed`](Self::is_signed) is false.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_prove_a_key_if_they_are_signed() {
        for is_signed in [true, false] {
            let profiles = Profiles {
                token: String::new(),
                observer: ("cli".to_owned(), "cli".to_owned()),
                tracked: ("test".to_owned(), "test".to_owned()),
                is_signed,
                run: 1,
            };
            let signers = profiles.signers(2);
            assert_eq!(signers.len(), 2);
            let plan = profiles.tracked(0, signers[0].as_ref(), false, false);
            assert_eq!(plan.client.unwrap().device.is_some(), is_signed);
        }
    }
}
