//! The instances of each device. A row that states only its device may belong to one of them.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;

use crate::instance::Raw;

/// Prefixes of the groups of rows with an `instanceId`, and of rows with only a `deviceId`.
const INSTANCE: &str = "instance:";
const DEVICE: &str = "device:";

/// The instances of each device, with the number of rows that state both.
#[derive(Clone, Debug, Default)]
pub(super) struct Devices(BTreeMap<String, BTreeMap<Arc<str>, usize>>);

impl Devices {
    /// Counts a new row of an instance.
    pub(super) fn add(&mut self, device: &str, instance: &Arc<str>) {
        let instances = self.0.entry(device.to_string()).or_default();
        *instances.entry(instance.clone()).or_default() += 1;
    }

    /// Counts the removal of a row of an instance.
    pub(super) fn remove(&mut self, device: &str, instance: &Arc<str>) {
        let Some(instances) = self.0.get_mut(device) else {
            return;
        };
        if let Some(rows) = instances.get_mut(instance) {
            *rows -= 1;
            if *rows == 0 {
                instances.remove(instance);
            }
        }
        if instances.is_empty() {
            self.0.remove(device);
        }
    }

    /// The instance of a device that has only one.
    pub(super) fn only_instance(&self, device: &str) -> Option<&Arc<str>> {
        let instances = self.0.get(device)?;
        let (only, _) = instances.first_key_value()?;
        (instances.len() == 1).then_some(only)
    }

    /// The instances of a device, if they are one or two: with more, none of them is affected when another
    /// one is added or removed.
    pub(super) fn few_instances(&self, device: &str) -> impl Iterator<Item = &Arc<str>> {
        let instances = self.0.get(device).filter(|instances| instances.len() <= 2);
        instances.into_iter().flat_map(BTreeMap::keys)
    }
}

/// The device of a row that has an `instanceId` too.
pub(super) fn device_of_instance(raw: &Raw) -> Option<String> {
    let device = raw.entry.device_key().filter(|_| raw.group.starts_with(INSTANCE));
    device.map(|device| device.as_str().to_string())
}

/// The device of a group of rows that have no `instanceId`.
pub(super) fn device_of_group(group: &str) -> Option<&str> {
    group.strip_prefix(DEVICE)
}

/// The group of the rows that have only that device.
pub(super) fn group_of_device(device: &str) -> String {
    [DEVICE, device].concat()
}
