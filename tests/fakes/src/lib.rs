//! Strict stand-ins for the chat platforms on loopback: they speak the real wire formats and refuse what those refuse.

pub mod discord;
