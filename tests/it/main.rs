//! What a user can do with farm, one file a capability.
//!
//! One binary, so that it links once.

mod differential; // farm's stow dialect does what GNU Stow 2.4 does, on thousands of random farms
