//! The engine: one thread answers, everybody else holds a cheap handle with a bounded queue before it. Takes the bytes of
//! photos, what is wished and which model is to answer, gives tags and songs. Knows nobody who asks, no platform and no
//! store.

pub mod handle;
pub mod lineup;
pub mod question;
mod worker;
