//! Beacons (SPEC 1.3).
