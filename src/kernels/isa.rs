//! Instruction sets, found at run time, so that one binary runs on every x86-64 (and, scalar, anywhere else).

use std::sync::OnceLock;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Scalar,
    Avx2,
    Avx512,
}

/// Proof that this processor has an instruction set: there is no way to make one of a set that it lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Isa(pub(super) Level);

impl Isa {
    /// Plain Rust: the definition that the others are judged against.
    pub const SCALAR: Isa = Isa(Level::Scalar);

    /// Every set that this processor has, worst first.
    pub fn available() -> Vec<Isa> {
        let mut all = vec![Isa::SCALAR];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Isa(Level::Avx2));
                let has_avx512 = is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl");
                if has_avx512 {
                    all.push(Isa(Level::Avx512));
                }
            }
        }
        all
    }

    /// The best set that this processor has; detected once. `IMAGE2SONG_ISA` (`scalar`, `avx2`, `avx512`) lowers it,
    /// which is for finding out whether a fault lies in a kernel.
    pub fn best() -> Isa {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| {
            let wanted = match std::env::var("IMAGE2SONG_ISA").as_deref() {
                Ok("scalar") => Level::Scalar,
                Ok("avx2") => Level::Avx2,
                _ => Level::Avx512,
            };
            Isa::available().into_iter().rfind(|isa| isa.0 <= wanted).unwrap_or(Isa::SCALAR)
        })
    }

    /// Name as `IMAGE2SONG_ISA` spells it.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Scalar => "scalar",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }
}

/// Defines a kernel from an `#[inline(always)]` body, compiled once per instruction set; the body is generic over
/// `const FMA: bool` (fused multiply-add) and `const L: usize` (lanes), or, after `plain`, over nothing.
macro_rules! kernel {
    ($(#[$meta:meta])* $visibility:vis fn $name:ident = plain $body:ident ( $($arg:ident : $ty:ty),* $(,)? )) => {
        $crate::kernels::isa::kernel! {
            @ [$body] [$body] [$body] $(#[$meta])* $visibility fn $name($($arg: $ty),*)
        }
    };
    ($(#[$meta:meta])* $visibility:vis fn $name:ident = $body:ident ( $($arg:ident : $ty:ty),* $(,)? )) => {
        $crate::kernels::isa::kernel! {
            @ [$body::<true, 8>] [$body::<true, 16>] [$body::<false, 8>]
            $(#[$meta])* $visibility fn $name($($arg: $ty),*)
        }
    };
    (@ [$($avx2:tt)+] [$($avx512:tt)+] [$($scalar:tt)+]
        $(#[$meta:meta])* $visibility:vis fn $name:ident ( $($arg:ident : $ty:ty),* )) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, reason = "slices and their sizes")]
        $visibility fn $name(isa: $crate::kernels::isa::Isa, $($arg: $ty),*) {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments)]
                fn avx2($($arg: $ty),*) {
                    $($avx2)+($($arg),*)
                }
                #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")]
                #[allow(clippy::too_many_arguments)]
                fn avx512($($arg: $ty),*) {
                    $($avx512)+($($arg),*)
                }
                match isa.0 {
                    $crate::kernels::isa::Level::Scalar => {}
                    // SAFETY: an `Isa` of this level exists only after the processor was found to have avx2 and fma.
                    $crate::kernels::isa::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    // SAFETY: an `Isa` of this level exists only after the processor was found to have these features.
                    $crate::kernels::isa::Level::Avx512 => return unsafe { avx512($($arg),*) },
                }
            }
            let _ = isa;
            $($scalar)+($($arg),*)
        }
    };
}
pub(super) use kernel;

/// `a * b + c`, fused where the instruction set has it (without it, `mul_add` would be a slow library call).
#[inline(always)]
pub(super) fn madd<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}
