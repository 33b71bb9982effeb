//! Strict stand-ins for the chat platforms, real HTTP and websockets on loopback, for the tests of the adapters and of
//! the whole program: they speak the real wire formats and refuse what those refuse.

pub mod discord;
pub mod telegram;
