//! What the bots keep beside the feedback log: settings, the slates that buttons belong to, receipts of updates that
//! still need an answer, small values of adapters. Takes and gives plain values; knows neither model nor platform.

mod convert;
pub mod error;
pub mod slate;
pub mod store;
