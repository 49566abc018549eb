//! Bounds on the number and size of rows, and the order of eviction (SPEC 1.5).

use super::Report;
use crate::model::ClientInfo;
use crate::model::entry::PresenceEntry;
use crate::roster::history::RowRemoval;
use crate::roster::{MAX_ROW_BYTES, Roster, RowId, max_list_bytes, size};

/// The quota that a beacon's rows about other instances count against (SPEC 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// None: the beacon is about the connection's own row, or its sender is an admin.
    Unlimited,
    /// That of the connection with this serial, or of the visitor with this number: a tenth of the cap; its oldest row
    /// is evicted first.
    Connection(u64),
}

/// Numbers of evicted rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evictions {
    /// Rows without a live connection.
    pub closed: u64,
    /// Rows with a live connection.
    pub live: u64,
    /// Rows about others, beyond the quota of the connection that reported them.
    pub over_quota: u64,
}

impl Evictions {
    /// All of them.
    #[must_use]
    pub fn total(self) -> u64 {
        self.closed + self.live + self.over_quota
    }
}

/// The beacon was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BeaconError {
    /// It has the gateway's own `instanceId`.
    #[error("instanceId belongs to the gateway itself")]
    SelfInstance,
    /// It would make a row without a connection, and all other rows have one.
    #[error("the roster is full: all {rows} rows have live connections (raise --max-entries on the gateway)")]
    Full {
        /// Number of rows, self included.
        rows: usize,
    },
    /// The row would have too many bytes.
    #[error("at /{member}: the row must NOT have more than {MAX_ROW_BYTES} bytes encoded")]
    RowTooLarge {
        /// The longest of the beacon's members.
        member: &'static str,
    },
    /// The list would have too many bytes.
    #[error("at /{member}: the list must NOT have more than {max} bytes encoded")]
    ListTooLarge {
        /// The longest of the beacon's members.
        member: &'static str,
        /// Most bytes of a list.
        max: usize,
    },
}

impl Roster {
    // ---- rows -----------------------------------------------------------------------------------

    /// Most rows, self included; at least one other row has room.
    fn max_entries(&self) -> usize {
        self.config.max_entries.max(2)
    }

    /// Whether a new row fits once all rows without a live connection are gone.
    pub(super) fn has_room_without_live_rows(&self) -> bool {
        self.len() < self.max_entries().saturating_add(self.store.not_live())
    }

    /// Evicts rows over the cap, except `kept`, which was just written.
    pub(in crate::roster) fn enforce_cap(&mut self, kept: RowId) {
        while self.len() > self.max_entries() || self.bytes > self.max_list_bytes() {
            let Some(id) = self.store.in_eviction_order().find(|&id| id != kept) else {
                return;
            };
            let was_live = !self.store[id].live.is_empty();
            if was_live {
                self.evictions.live += 1;
            } else {
                self.evictions.closed += 1;
            }
            let cause = self.store[kept].last_writer();
            self.remove(id, RowRemoval::Evicted { was_live }, cause);
        }
    }

    /// Evicts rows over the quota of a holder, except `kept`, which was just written.
    pub(super) fn enforce_quota(&mut self, holder: Holder, kept: RowId) {
        let Holder::Connection(conn) = holder else { return };
        let quota = (self.max_entries() / 10).max(1);
        while let Some((held, oldest)) = self.store.held_by(conn)
            && held > quota
        {
            self.evictions.over_quota += 1;
            let cause = self.store[kept].last_writer();
            self.remove(oldest, RowRemoval::OverQuota, cause);
        }
    }

    /// Whether this handshake may evict a row that was proven alive after the first `proofs` proofs, or take it over
    /// from its connections.
    pub(crate) fn unlists_after(
        &self,
        proofs: u64,
        client: &ClientInfo,
        device_id: Option<&str>,
        conn_id: &str,
    ) -> bool {
        let is_later = |id: RowId| self.store[id].proof_number > proofs;
        let mut rows = (self.len() + 1).saturating_sub(self.max_entries());
        let mut bytes = self.bytes_lacking();
        let mut evicted = self.store.in_eviction_order();
        while (rows > 0 || bytes > 0)
            && let Some(id) = evicted.next()
        {
            if is_later(id) {
                return true;
            }
            rows = rows.saturating_sub(1);
            bytes = bytes.saturating_sub(self.store[id].bytes);
        }
        self.taken_over(client, device_id, conn_id).is_some_and(is_later)
    }

    // ---- bytes ----------------------------------------------------------------------------------

    /// Updates the sizes of the row and the list after a change of a text or a set.
    pub(in crate::roster) fn measure(&mut self, id: RowId) {
        let row = &mut self.store[id];
        let bytes = size::of_entry(&row.fields);
        self.bytes = self.bytes - row.bytes + bytes;
        row.bytes = bytes;
    }

    fn max_list_bytes(&self) -> usize {
        max_list_bytes(self.max_entries())
    }

    /// A lower bound of the encoded list's size, in bytes.
    #[must_use]
    pub(crate) fn min_list_bytes(&self) -> usize {
        self.bytes.saturating_sub(size::UNUSED * self.len())
    }

    /// Most bytes that a row of `bytes` bytes may take, for itself and for the list.
    fn max_bytes(&self, bytes: usize) -> usize {
        let room = self.max_list_bytes().saturating_sub(self.bytes);
        // The comma is not part of the row.
        (bytes + room).min(MAX_ROW_BYTES + 1)
    }

    /// Most bytes that the row may take.
    pub(super) fn max_row_bytes(&self, id: RowId) -> usize {
        self.max_bytes(self.store[id].bytes)
    }

    /// Most bytes of the row that a beacon is about.
    ///
    /// # Errors
    /// The beacon does not fit.
    pub(super) fn max_bytes_for(
        &self,
        report: &Report<'_>,
        row: Option<RowId>,
    ) -> Result<usize, BeaconError> {
        let row = row.map(|id| &self.store[id]);
        let bytes = row.map_or(0, |row| row.bytes);
        let max_bytes = self.max_bytes(bytes);
        if bytes + report.max_growth() <= max_bytes {
            return Ok(max_bytes);
        }
        let merged = row.map_or_else(PresenceEntry::default, |row| row.fields.clone());
        let after = report.size_after(merged);
        let member = report.longest();
        if after > MAX_ROW_BYTES + 1 {
            return Err(BeaconError::RowTooLarge { member });
        }
        // A list that is already too large may become smaller.
        if after > max_bytes.max(bytes) {
            let max = self.max_list_bytes();
            return Err(BeaconError::ListTooLarge { member, max });
        }
        Ok(max_bytes)
    }

    /// How many bytes the list lacks for any row, its comma included.
    fn bytes_lacking(&self) -> usize {
        (self.bytes + MAX_ROW_BYTES + 1).saturating_sub(self.max_list_bytes())
    }

    /// Whether the list has bytes for any row once all rows without a live connection are gone.
    pub(super) fn has_bytes_without_live_rows(&self) -> bool {
        let mut lacking = self.bytes_lacking();
        let mut others = self
            .store
            .in_eviction_order()
            .map(|id| &self.store[id])
            .take_while(|row| row.live.is_empty());
        while lacking > 0
            && let Some(row) = others.next()
        {
            lacking = lacking.saturating_sub(row.bytes);
        }
        lacking == 0
    }
}
