//! Where to compute.

use std::str::FromStr;

use candle_core::Device;

use super::fault::SetupFault;

/// A device as named on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The processor.
    Cpu,
    /// The graphics card with this number, from 0.
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = match text {
            "cpu" => return Ok(Self::Cpu),
            "cuda" => Some("0"),
            _ => text.strip_prefix("cuda:"),
        };
        number
            .and_then(|number| number.parse().ok())
            .map(Self::Cuda)
            .ok_or_else(|| "a device is cpu, or cuda:N with the number of a card, such as cuda:0".to_owned())
    }
}

impl DeviceChoice {
    /// The device, ready for use.
    ///
    /// # Errors
    /// This build has no CUDA, or there is no such card.
    pub fn open(self) -> Result<Device, SetupFault> {
        match self {
            Self::Cpu => Ok(Device::Cpu),
            Self::Cuda(card) if !candle_core::utils::cuda_is_available() => Err(SetupFault::new(format!(
                "device cuda:{card} was asked for, but this program was built without CUDA; take --device cpu, or \
                 build it with `cargo build --release --features cuda` on a machine with the CUDA toolkit"
            ))),
            Self::Cuda(card) => Device::new_cuda(card).map_err(|source| {
                let first_line = source.to_string().lines().next().unwrap_or_default().to_owned();
                SetupFault::new(format!(
                    "device cuda:{card} cannot be opened ({first_line}); `nvidia-smi -L` lists the cards, or take \
                     --device cpu"
                ))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_parse() {
        assert_eq!("cpu".parse(), Ok(DeviceChoice::Cpu));
        assert_eq!("cuda".parse(), Ok(DeviceChoice::Cuda(0)));
        assert_eq!("cuda:3".parse(), Ok(DeviceChoice::Cuda(3)));
        for text in ["", "gpu", "cuda:", "cuda:-1", "cuda:x", "CPU"] {
            assert!(text.parse::<DeviceChoice>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn cuda_needs_a_build_with_it() {
        if !candle_core::utils::cuda_is_available() {
            let message = DeviceChoice::Cuda(0).open().unwrap_err().to_string();
            assert!(message.contains("--features cuda"), "{message}");
        }
    }
}
