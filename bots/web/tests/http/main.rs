//! The HTTP interface on a real listener, before a core that has no model.

mod api;
mod browser;
mod chromium;
mod core;
mod description;
mod limits;
mod operation;
mod page;
mod place;
