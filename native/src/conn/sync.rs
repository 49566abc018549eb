//! The locks of a connection. The model has locks of the same names, which try the orders of threads.

pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
