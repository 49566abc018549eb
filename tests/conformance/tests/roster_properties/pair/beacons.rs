//! Beacons of connections, on both rosters.

use presence_conformance::model::Refusal;
use presence_conformance::model::owner::About;
use presence_conformance::model::text::normalise;
use presence_core::model::beacon::Beacon;
use presence_core::roster::{BeaconError, BeaconSubject, Holder, RowId};

use super::{Handshake, Pair};
use crate::history::Client;

impl Pair {
    /// Whether it was accepted.
    pub(super) fn beacon(&mut self, beacon: &Beacon, holder: Holder) -> bool {
        let real = self.real.beacon(beacon, holder, self.now);
        let model = self.model.beacon(beacon, holder, self.now);
        let refusal = refusal(real);
        assert_eq!(refusal, model.err());
        assert_eq!(refusal == Some(Refusal::ClaimsSelf), claims_self(beacon));
        refusal.is_none()
    }

    /// Whether it was accepted.
    pub(super) fn connection_beacon(
        &mut self,
        beacon: &Beacon,
        handshake: &Handshake,
        bound: Option<(RowId, u64)>,
    ) -> bool {
        let (row, model_row) = bound.unzip();
        let real = self.real.own_beacon(beacon, &handshake.write(), row, self.now);
        let model = self
            .model
            .own_beacon(beacon, &handshake.write(), model_row, self.now);
        let refusal = refusal(real);
        assert_eq!(refusal, model.err());
        refusal.is_none()
    }

    /// The subject of a beacon, which must be equal for both.
    pub(super) fn about(
        &self,
        beacon: &Beacon,
        handshake: &Handshake,
        bound: Option<(RowId, u64)>,
    ) -> BeaconSubject {
        let write = handshake.write();
        let client = &handshake.client;
        let key = self
            .real
            .connect_key(&client.info, client.device_id.as_deref(), &handshake.id);
        let (row, model_row) = bound.unzip();
        let aim = self.real.beacon_subject(&beacon.into(), &write, &key, row);
        let about = match aim {
            BeaconSubject::Own => About::Own,
            BeaconSubject::Connection => About::OwnWithoutIds,
            BeaconSubject::Other => About::Another,
            BeaconSubject::Owned => About::AnotherOwned,
        };
        assert_eq!(
            about,
            self.model.about(beacon, &write, model_row),
            "what it is about"
        );
        aim
    }

    /// The ids of its handshake in a beacon of a connection.
    pub(super) fn own_beacon(&mut self, any: usize, beacon: &Beacon) {
        if !self.open.is_empty() {
            let at = any % self.open.len();
            let beacon = with_ids_of(&self.open[at].handshake.client, beacon);
            self.beacon_of(at, &beacon);
        }
    }

    /// A beacon of an open connection, as the hub treats it if it has the scopes.
    pub(super) fn beacon_of(&mut self, at: usize, beacon: &Beacon) {
        self.real.settle(self.now);
        self.model.settle(self.now);
        let open = &self.open[at];
        let bound = open.bound(&self.real, &self.model);
        let aim = self.about(beacon, &open.handshake, bound);
        let is_own = matches!(aim, BeaconSubject::Own | BeaconSubject::Connection);
        let mut rebuilt = None;
        if is_own && bound.is_none() && !claims_self(beacon) {
            let open = &mut self.open[at];
            let row = self.real.rebuild(&open.handshake.write(), self.now);
            let model_row = self.model.rebuild(&open.handshake.write(), self.now);
            (open.row, open.model_row) = (Some(row), Some(model_row));
            rebuilt = Some((row, model_row));
            self.follow_moves();
        }
        let handshake = self.open[at].handshake.clone();
        let is_accepted = match aim {
            BeaconSubject::Connection => self.connection_beacon(beacon, &handshake, rebuilt.or(bound)),
            BeaconSubject::Own => self.beacon(beacon, Holder::Unlimited),
            BeaconSubject::Other | BeaconSubject::Owned => {
                self.beacon(beacon, Holder::Connection(handshake.serial))
            }
        };
        if let (false, Some((row, model_row))) = (is_accepted, rebuilt) {
            self.real.keep_rebuilt(row);
            self.model.keep_rebuilt(model_row, self.now);
        }
    }

    /// A beacon of a connection whose mode makes no row, about its own ids.
    pub(super) fn rowless_beacon(&mut self, client: &Client, beacon: &Beacon) {
        self.connects += 1;
        let handshake = Handshake {
            serial: self.connects,
            id: format!("conn-{}", self.connects),
            client: client.clone(),
        };
        let beacon = with_ids_of(client, beacon);
        self.real.settle(self.now);
        self.model.settle(self.now);
        match self.about(&beacon, &handshake, None) {
            BeaconSubject::Connection => self.connection_beacon(&beacon, &handshake, None),
            BeaconSubject::Own => self.beacon(&beacon, Holder::Unlimited),
            BeaconSubject::Other | BeaconSubject::Owned => {
                self.beacon(&beacon, Holder::Connection(handshake.serial))
            }
        };
    }
}

fn refusal(result: Result<RowId, BeaconError>) -> Option<Refusal> {
    result.err().map(|error| match error {
        BeaconError::SelfInstance => Refusal::ClaimsSelf,
        BeaconError::Full { .. } => Refusal::Full,
        error => panic!("the histories have short strings only: {error}"),
    })
}

fn with_ids_of(client: &Client, beacon: &Beacon) -> Beacon {
    Beacon {
        instance_id: client.info.instance_id.clone(),
        device_id: client.device_id.clone(),
        ..beacon.clone()
    }
}

fn claims_self(beacon: &Beacon) -> bool {
    beacon.instance_id.as_deref().and_then(normalise).as_deref() == Some("gateway-1")
}
