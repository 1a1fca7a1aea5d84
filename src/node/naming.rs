//! How providers name their instance types: what stands before the size says what the machine is. Each provider has one rule here;
//! which CPU a series has is in `rules/data/nodes.toml`.

use serde::Deserialize;

/// Who rents machines out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Provider {
    Aws,
    Gcp,
    Azure,
    Oracle,
    Alibaba,
    Hetzner,
    Scaleway,
    Huawei,
    Tencent,
}

/// What the name of an instance type says: m8gd.metal is of the series m, generation 8, with the options g and d.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct TypeName<'a> {
    /// Letters; empty where there are none.
    pub(super) series: &'a str,
    /// The number behind them, or a version.
    pub(super) generation: Option<u16>,
    /// The letters behind that.
    pub(super) options: &'a str,
    /// What else the name has.
    pub(super) rest: &'a str,
}

/// What `text`, in lower case, says where it fits the rule of a provider. Some names fit several.
pub(super) fn readings(text: &str) -> Vec<(Provider, TypeName<'_>)> {
    let readings = [
        (Provider::Aws, aws(text)),
        (Provider::Gcp, gcp(text)),
        (Provider::Azure, azure(text)),
        (Provider::Oracle, oracle(text)),
        (Provider::Alibaba, alibaba(text)),
        (Provider::Hetzner, hetzner(text)),
        (Provider::Scaleway, scaleway(text)),
        (Provider::Huawei, huawei(text)),
        (Provider::Tencent, tencent(text)),
    ];
    readings.into_iter().filter_map(|(provider, name)| Some((provider, name?))).collect()
}

/// Letters, a number, letters, the rest: the frame of nearly all names.
fn frame(text: &str) -> TypeName<'_> {
    let (series, behind) = leading(text, u8::is_ascii_alphabetic);
    let (number, behind) = leading(behind, u8::is_ascii_digit);
    let (options, rest) = leading(behind, u8::is_ascii_alphabetic);
    TypeName { series, generation: number.parse().ok(), options, rest }
}

fn leading(text: &str, is_in: fn(&u8) -> bool) -> (&str, &str) {
    let length = text.bytes().take_while(is_in).count();
    text.split_at_checked(length).unwrap_or((text, ""))
}

/// `FAMILY.SIZE`: m8gd.metal-24xl, u-6tb1.metal, p6-b200.48xlarge.
fn aws(text: &str) -> Option<TypeName<'_>> {
    let (family, size) = text.split_once('.')?;
    let is_size = matches!(size, "nano" | "micro" | "small" | "medium" | "large" | "metal")
        || size.starts_with("metal-")
        || size.strip_suffix("xlarge").is_some_and(|times| times.bytes().all(|byte| byte.is_ascii_digit()));
    Some(frame(family)).filter(|name| is_size && !name.series.is_empty())
}

/// `SERIES-CLASS-CPUS`: t2a-standard-4, e2-medium, c4a-highmem-8-lssd, n2-custom-4-8192; a custom type without series is N1.
fn gcp(text: &str) -> Option<TypeName<'_>> {
    let (series, class) = text.split_once('-')?;
    if series == "custom" && class.starts_with(|first: char| first.is_ascii_digit()) {
        return Some(TypeName { series: "n", generation: Some(1), options: "", rest: class });
    }
    let kinds = ["standard", "high", "micro", "small", "medium", "custom", "mega", "ultra", "hyper", "max", "edge"];
    let name = frame(series);
    (name.generation.is_some() && name.rest.is_empty() && kinds.iter().any(|kind| class.starts_with(kind)))
        .then_some(TypeName { rest: class, ..name })
}

/// `Standard_` family, CPUs, options, `_` accelerator, `_` version: Standard_D4ps_v6, Standard_NC24ads_A100_v4; the first version
/// is left out. Without `Standard_` only with a version.
fn azure(text: &str) -> Option<TypeName<'_>> {
    let bare = text.strip_prefix("standard_").or_else(|| text.strip_prefix("basic_"));
    let (size, behind) = bare.unwrap_or(text).split_once('_').unwrap_or((bare.unwrap_or(text), ""));
    let last = behind.rsplit('_').next().unwrap_or_default();
    let version = last.strip_prefix('v').and_then(|version| version.parse().ok());
    if bare.is_none() && version.is_none() {
        return None;
    }
    let (series, cpus) = leading(size, u8::is_ascii_alphabetic);
    let (cpus, options) = leading(cpus, |byte| byte.is_ascii_digit() || *byte == b'-');
    let is_whole = !series.is_empty() && !cpus.is_empty() && options.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_whole.then_some(TypeName { series, generation: version.or(Some(1)), options, rest: behind })
}

/// `VM.` or `BM.`, then words, one of which has the series and its generation: VM.Standard.A1.Flex, BM.Standard2.52.
fn oracle(text: &str) -> Option<TypeName<'_>> {
    let words = text.strip_prefix("vm.").or_else(|| text.strip_prefix("bm."))?;
    words.split('.').map(frame).find(|name| !name.series.is_empty() && name.generation.is_some())
}

/// `ecs.FAMILY.SIZE`: ecs.g8y.large, ecs.t6-c1m1.large; bare metal is called ecs.ebmg8y.
fn alibaba(text: &str) -> Option<TypeName<'_>> {
    let (family, _) = text.strip_prefix("ecs.")?.split_once('.')?;
    Some(frame(family.strip_prefix("ebm").unwrap_or(family))).filter(|name| !name.series.is_empty())
}

/// Series and size in one word: cax11, ccx13.
fn hetzner(text: &str) -> Option<TypeName<'_>> {
    Some(frame(text)).filter(|name| name.generation.is_some() && name.options.is_empty() && name.rest.is_empty())
}

/// `SERIES-SIZE`: COPARM1-2C-8G, DEV1-S; with `EM-` before it for whole machines.
fn scaleway(text: &str) -> Option<TypeName<'_>> {
    let start = if text.starts_with("em-") { 3 } else { 0 };
    let family = text.get(start..)?;
    let (_, size) = family.split_once('-')?;
    let name = frame(family);
    let series = text.get(..start.checked_add(name.series.len())?)?;
    (name.generation.is_some() && name.options.is_empty()).then_some(TypeName { series, rest: size, ..name })
}

/// `FAMILY.SIZE.RATIO`: kc1.large.2.
fn huawei(text: &str) -> Option<TypeName<'_>> {
    let (family, size) = text.split_once('.')?;
    let (_, ratio) = size.split_once('.')?;
    Some(frame(family)).filter(|name| name.generation.is_some() && ratio.parse::<u16>().is_ok())
}

/// `FAMILY.SIZE`, whose size ends in the memory: SR1.LARGE8, S5.2XLARGE16.
fn tencent(text: &str) -> Option<TypeName<'_>> {
    let (family, size) = text.split_once('.')?;
    let is_size =
        ["small", "medium", "large"].iter().any(|word| size.contains(word)) && size.ends_with(|c: char| c.is_ascii_digit());
    Some(frame(family)).filter(|name| is_size && name.generation.is_some())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Provider, readings};

    fn read(text: &str, provider: Provider) -> (String, Option<u16>, String) {
        let text = text.to_lowercase();
        let all = readings(&text);
        let (_, name) = all.iter().find(|(one, _)| *one == provider).unwrap_or_else(|| panic!("{text}: {all:?}"));
        (name.series.into(), name.generation, name.options.into())
    }

    #[test]
    fn names_are_taken_apart_as_their_providers_put_them_together() {
        for (text, provider, series, generation, options) in [
            ("m8gd.metal-24xl", Provider::Aws, "m", Some(8), "gd"),
            ("u-6tb1.112xlarge", Provider::Aws, "u", None, ""),
            ("m7i-flex.large", Provider::Aws, "m", Some(7), "i"),
            ("c4a-highmem-8-lssd", Provider::Gcp, "c", Some(4), "a"),
            ("custom-4-8192", Provider::Gcp, "n", Some(1), ""),
            ("Standard_E4-2pds_v6", Provider::Azure, "e", Some(6), "pds"),
            ("Standard_NC24ads_A100_v4", Provider::Azure, "nc", Some(4), "ads"),
            ("D4ps_v5", Provider::Azure, "d", Some(5), "ps"),
            ("Standard_M128s", Provider::Azure, "m", Some(1), "s"),
            ("BM.Standard.A1.160", Provider::Oracle, "a", Some(1), ""),
            ("VM.Standard2.1", Provider::Oracle, "standard", Some(2), ""),
            ("ecs.ebmg8y.16xlarge", Provider::Alibaba, "g", Some(8), "y"),
            ("cax11", Provider::Hetzner, "cax", Some(11), ""),
            ("EM-RV1-C4M16S128-A", Provider::Scaleway, "em-rv", Some(1), ""),
            ("kc1.large.2", Provider::Huawei, "kc", Some(1), ""),
            ("SR1.LARGE8", Provider::Tencent, "sr", Some(1), ""),
        ] {
            assert_eq!(read(text, provider), (series.into(), generation, options.into()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,40}") {
            for (_, name) in readings(&text) {
                prop_assert!(text.contains(name.series) && text.contains(name.options));
            }
        }
    }
}
