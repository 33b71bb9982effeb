//! Hot loops over plain slices: NHWC images in, NHWC images out, forward and gradients.
//!
//! The only module with `unsafe`: a loop is written once in safe Rust and compiled for several instruction sets
//! ([`isa`]); the same loop compiled without any is its scalar twin. Knows nothing of models.
#![allow(unsafe_code, reason = "calls into code for instruction sets that were detected, and into the matrix product")]

pub mod attend;
pub mod batch_norm;
pub mod composed;
pub mod depthwise;
pub mod fused;
pub mod gru;
pub mod im2col;
pub mod isa;
pub mod matmul;
pub mod ops;
pub mod scan;
