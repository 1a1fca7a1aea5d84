//! How much of an image is read, as the command line says it.

use clap::Args;

use crate::format::compress::Ratio;
use crate::image::Limits;

/// Up to where a layer is read: one that is made to exhaust whoever reads it ends there, as a finding.
#[derive(Debug, Args)]
pub(super) struct LimitOptions {
    /// Read no layer beyond so many uncompressed bytes
    #[arg(long, value_name = "SIZE", default_value = "256GiB", env = "ENOEXEC_MAX_LAYER_SIZE", value_parser = parse_size)]
    pub(super) max_layer_size: u64,
    /// Read no layer beyond so many times its stored bytes, from 16 GiB on
    #[arg(long, value_name = "TIMES", default_value = "250", env = "ENOEXEC_MAX_LAYER_RATIO", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) max_layer_ratio: u64,
    /// Read no layer beyond so many entries
    #[arg(long, value_name = "COUNT", default_value = "2000000", env = "ENOEXEC_MAX_LAYER_ENTRIES")]
    pub(super) max_layer_entries: usize,
}

impl LimitOptions {
    /// The limits of a scan; with DiffIDs where they are asked for.
    pub(super) fn limits(&self, diff_id: bool) -> Limits {
        Limits {
            bytes: self.max_layer_size,
            ratio: Ratio { times: self.max_layer_ratio, ..Ratio::default() },
            entries: self.max_layer_entries,
            diff_id,
            ..Limits::default()
        }
    }
}

/// Bytes, with or without a unit.
pub(super) fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let unit = match text.get(digits.len()..).unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        "t" | "tb" | "tib" => 1_u64 << 40,
        _ => 0,
    };
    let bytes = digits.parse::<u64>().ok().filter(|_| unit > 0).and_then(|count| count.checked_mul(unit));
    bytes.ok_or_else(|| format!("`{text}` is no size: expected bytes, or a number with KiB, MiB, GiB or TiB"))
}
