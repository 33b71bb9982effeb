//! Strict stand-ins for the platforms, real HTTP on loopback, for the tests of the adapters and of the whole program.

pub mod telegram;
