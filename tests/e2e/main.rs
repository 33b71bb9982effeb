//! The one integration binary: what the program does with real files, from the outside.

mod encode;
mod mutate;
mod photo;
