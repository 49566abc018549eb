use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::{Detached, HandshakeFields, Live, Row};
use super::{FEW, MAX_SET};
use crate::model::key::RowKey;
use crate::model::{ClientInfo, Role};
use crate::roster::size;

type Text = Box<str>;

struct Random(fastrand::Rng);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0.usize(..below)
    }

    /// Few texts, so that connections have equal ones, some of them long.
    fn list(&mut self, max_items: usize, pool: usize) -> Vec<Text> {
        (0..self.below(max_items + 1))
            .map(|_| match self.below(pool) {
                n if n % 10 == 0 => format!("{}{n}", "x".repeat(300)).into(),
                n => format!("{n}").into(),
            })
            .collect()
    }
}

/// The rule, computed from all connections: kept ones or those of live connections in connect order, then added ones.
#[derive(Default)]
struct Naive {
    live: BTreeMap<u64, (Role, Vec<Text>)>,
    kept: (Vec<Text>, Vec<Text>),
    added: (Vec<Text>, Vec<Text>),
}

impl Naive {
    fn shown(&self, bytes: usize) -> (Vec<Text>, Vec<Text>) {
        let (mut roles, mut scopes) = self.kept.clone();
        if !self.live.is_empty() {
            let live = self.live.values();
            roles = live.clone().map(|(role, _)| role.as_str().into()).collect();
            scopes = live.flat_map(|(_, scopes)| scopes.clone()).collect();
        }
        roles.extend(self.added.0.clone());
        scopes.extend(self.added.1.clone());
        let roles = fit("roles", &roles, bytes);
        let scopes = fit("scopes", &scopes, bytes - size::list("roles", &roles));
        (roles, scopes)
    }

    fn close(&mut self, conn: u64, bytes: usize) {
        let (roles, scopes) = self.shown(bytes);
        if let Some((role, brought)) = self.live.remove(&conn) {
            let roles = roles.into_iter().filter(|shown| **shown == *role.as_str());
            let scopes = scopes.into_iter().filter(|shown| brought.contains(shown));
            self.kept = (roles.collect(), scopes.collect());
        }
    }

    fn add(&mut self, roles: &[Text], scopes: &[Text], bytes: usize) {
        // A beacon without roles and scopes changes neither.
        if roles.is_empty() && scopes.is_empty() {
            return;
        }
        let (of_roles, of_scopes) = (&mut self.added.0, &mut self.added.1);
        for (set, more) in [(of_roles, roles), (of_scopes, scopes)] {
            set.extend_from_slice(more);
            *set = fit("", set, usize::MAX);
        }
        let shown = self.shown(bytes);
        self.added.0.retain(|role| shown.0.contains(role));
        self.added.1.retain(|scope| shown.1.contains(scope));
    }
}

fn fit(name: &str, items: &[Text], bytes: usize) -> Vec<Text> {
    let mut set = Vec::new();
    for item in items {
        if set.contains(item) {
            continue;
        }
        set.push(item.clone());
        if set.len() > MAX_SET || size::list(name, &set) > bytes {
            set.pop();
            break;
        }
    }
    set
}

fn live(conn: u64, role: Role, scopes: &[Text]) -> Live {
    Live {
        conn,
        seat: 0,
        conn_id: "c".into(),
        role,
        scopes: scopes.into(),
        handshake: HandshakeFields::new(&Arc::new(ClientInfo::default()), role, None, None),
        written_ms: 0,
    }
}

#[test]
fn roles_and_scopes_are_the_union_after_any_order_of_connects_and_closes() {
    let (mut most, mut lasts, mut full) = (0, 0, 0);
    for seed in 0..20 {
        let mut random = Random(fastrand::Rng::with_seed(seed));
        let max_bytes = [700, 3_000, 1 << 20][random.below(3)];
        let pool = [8, 200][random.below(2)];
        let mut row = Row::new(RowKey::SelfRow, 1, 0);
        let mut naive = Naive::default();
        for step in 0..300 {
            let room = |row: &Row| max_bytes - size::without_sets(&row.fields);
            // At first there are more joins than leaves.
            match random.below(if step < 100 { 14 } else { 20 }) {
                0..8 => {
                    let conn = random.below(1 << 20) as u64;
                    let role = [Role::Operator, Role::Node][random.below(2)];
                    let scopes = random.list(70, pool);
                    row.attach(live(conn, role, &scopes), 0, max_bytes);
                    naive.live.insert(conn, (role, scopes));
                }
                8 | 9 => {
                    let (roles, scopes) = (random.list(2, pool), random.list(5, pool));
                    naive.add(&roles, &scopes, room(&row));
                    row.add_sets(&roles, &scopes, max_bytes);
                }
                _ if !naive.live.is_empty() => {
                    let at = random.below(naive.live.len());
                    let conn = naive.live.keys().copied().nth(at).unwrap_or_default();
                    naive.close(conn, room(&row));
                    let before = (row.fields.roles.clone(), row.fields.scopes.clone());
                    let detached = row.detach(conn, max_bytes);
                    assert_eq!(detached == Detached::Last, naive.live.is_empty());
                    if detached == Detached::Last {
                        assert_eq!((&row.fields.roles, &row.fields.scopes), (&before.0, &before.1));
                        lasts += 1;
                        continue;
                    }
                }
                _ => continue,
            }
            let (roles, scopes) = naive.shown(room(&row));
            assert_eq!((&row.fields.roles, &row.fields.scopes), (&roles, &scopes));
            most = most.max(row.live.len());
            full += usize::from(scopes.len() == MAX_SET);
        }
    }
    assert!(
        most > 4 * FEW && lasts > 10 && full > 10,
        "too kind: {most} {lasts} {full}"
    );
}
