//! The engine: one thread owns the model, everybody else holds a cheap handle with a bounded queue before it. Takes the
//! bytes of photos and what is wished, gives tags and songs. Knows nobody who asks, no platform and no store.

pub mod handle;
pub mod question;
mod worker;
