//! The connections of named tokens.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use presence_core::server::Grant;
use presence_core::wire::CloseFrame;

use super::{Closable, Tokens};

/// Keeps a connection in the table of its token.
#[derive(Debug)]
pub(crate) struct Lease {
    tokens: Tokens,
    number: u64,
}

impl Lease {
    pub(super) fn new(tokens: Tokens, number: u64) -> Self {
        Self { tokens, number }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.tokens.end_lease(self.number);
    }
}

impl Tokens {
    /// The number of connections of each token, by its current name.
    pub(crate) fn connections(&self) -> Vec<(Arc<str>, u64)> {
        let state = self.state();
        let mut counts: HashMap<[u8; 32], u64> = HashMap::new();
        for open in state.leases.open.values() {
            *counts.entry(open.digest).or_default() += 1;
        }
        let names = state.set.iter().map(|token| {
            let count = counts.get(&token.digest).copied().unwrap_or(0);
            (Arc::clone(&token.name), count)
        });
        names.collect()
    }
}

/// The open connections of named tokens; the gateway's limit of connections bounds them.
#[derive(Debug, Default)]
pub(super) struct Leases {
    next: u64,
    open: HashMap<u64, Open>,
}

#[derive(Debug)]
struct Open {
    digest: [u8; 32],
    grant: Grant,
    connection: Weak<dyn Closable>,
}

impl Leases {
    pub(super) fn add(&mut self, digest: [u8; 32], grant: Grant, connection: Weak<dyn Closable>) -> u64 {
        self.next += 1;
        self.open.insert(
            self.next,
            Open {
                digest,
                grant,
                connection,
            },
        );
        self.next
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.open.remove(&number);
    }

    /// Closes the connections whose token's digest and grant meet the condition; returns how many.
    pub(super) fn end_where(
        &mut self,
        mut is_over: impl FnMut(&[u8; 32], &Grant) -> bool,
        close: &CloseFrame,
    ) -> usize {
        let over = self.open.extract_if(|_, open| is_over(&open.digest, &open.grant));
        let connections = over.filter_map(|(_, open)| open.connection.upgrade());
        connections
            .map(|connection| connection.close(close.clone()))
            .count()
    }
}
