//! Machines by their names: CPUs, boards, and the instance types of providers, as `rules/data/nodes.toml` lists them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::base::Platform;

use super::naming::{Provider, TypeName, readings};
use super::spec::siblings;
use super::{Level, Node, Property};

/// Names that are this alike are worth proposing (Jaro-Winkler).
const ALIKE: f64 = 0.82;
/// So many of them.
const PROPOSED: usize = 4;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Cpu {
    names: Vec<String>,
    platform: String,
    level: Option<String>,
    compat32: Option<bool>,
    page_size: Option<u64>,
    /// For readers, and for the test that every row has grounds.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by people and by the test"))]
    source: Option<String>,
    confidence: Option<Confidence>,
    #[serde(default)]
    unsure: Vec<Property>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Machine {
    names: Vec<String>,
    cpu: String,
    page_size: Option<u64>,
    /// For readers, and for the test that every row has grounds.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by people and by the test"))]
    source: Option<String>,
    confidence: Option<Confidence>,
    #[serde(default)]
    unsure: Vec<Property>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct InstanceType {
    provider: Provider,
    series: Option<Vec<String>>,
    generation: Option<Vec<u16>>,
    with: Option<String>,
    only: Option<String>,
    among: Option<String>,
    rest: Option<String>,
    example: String,
    cpu: String,
    /// For readers, and for the test that every row has grounds.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by people and by the test"))]
    source: Option<String>,
    confidence: Option<Confidence>,
    #[serde(default)]
    unsure: Vec<Property>,
}

/// An operating system's kernel.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct System {
    kernel: Option<String>,
    os_image: Option<String>,
    architecture: String,
    pub(super) page_size: Option<u64>,
    pub(super) compat32: Option<bool>,
    /// A kernel's release or an operating system's name that the row decides.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by people and by the test"))]
    example: String,
    /// For readers, and for the test that every row has grounds.
    #[cfg_attr(not(test), expect(dead_code, reason = "read by people and by the test"))]
    source: Option<String>,
    confidence: Option<Confidence>,
    #[serde(default)]
    pub(super) unsure: Vec<Property>,
}

impl System {
    /// Says of `node` what is not certain, as being known of `name`.
    pub(super) fn doubt(&self, node: &mut Node, property: Property, name: &str) {
        doubt(node, &[property], self.confidence, name);
    }
}

/// The kernel of a node of this architecture, by what `uname -r` and os-release say.
pub(super) fn system(architecture: &str, kernel: &str, os_image: &str) -> Option<&'static System> {
    let stands = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|wanted| text.contains(wanted.as_str()));
    let fits = |row: &&System| row.architecture == architecture && stands(&row.kernel, kernel) && stands(&row.os_image, os_image);
    TABLES.systems.iter().find(fits)
}

/// How sure a row is that names no source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Confidence {
    Medium,
    Low,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    cpu: Vec<Cpu>,
    machine: Vec<Machine>,
    #[serde(rename = "type")]
    types: Vec<InstanceType>,
    #[serde(rename = "system")]
    systems: Vec<System>,
}

// Text that was compiled in and that a test reads: it parses, or the test fails.
static TABLES: LazyLock<Tables> =
    LazyLock::new(|| toml::from_str(include_str!("../../rules/data/nodes.toml")).unwrap_or_default());

/// The machine of this name; `None` where no row knows it.
pub(super) fn find(text: &str) -> Option<Node> {
    let name = plain(text);
    let has = |names: &[String]| names.contains(&name);
    if let Some(row) = TABLES.cpu.iter().find(|row| has(&row.names)) {
        return node(row, &name);
    }
    if let Some(row) = TABLES.machine.iter().find(|row| has(&row.names)) {
        let mut node = node(cpu(&row.cpu)?, &name)?;
        node.page_size = row.page_size.unwrap_or(node.page_size);
        doubt(&mut node, &row.unsure, row.confidence, &name);
        return Some(node);
    }
    instance_type(&text.trim().to_lowercase())
}

/// An instance type of a provider.
pub(super) fn instance_type(name: &str) -> Option<Node> {
    let readings = readings(name);
    let row = TABLES.types.iter().find(|row| readings.iter().any(|(provider, name)| row.fits(*provider, name)))?;
    let mut node = node(cpu(&row.cpu)?, name)?;
    doubt(&mut node, &row.unsure, row.confidence, name);
    Some(node)
}

impl InstanceType {
    fn fits(&self, provider: Provider, name: &TypeName<'_>) -> bool {
        self.provider == provider
            && self.series.as_ref().is_none_or(|series| series.iter().any(|one| one == name.series))
            && self.generation.as_ref().is_none_or(|all| name.generation.is_some_and(|own| all.contains(&own)))
            && self.with.as_ref().is_none_or(|letters| letters.chars().all(|letter| name.options.contains(letter)))
            && self.only.as_ref().is_none_or(|options| options == name.options)
            && self.among.as_ref().is_none_or(|letters| name.options.chars().all(|letter| letters.contains(letter)))
            && self.rest.as_ref().is_none_or(|text| name.rest.contains(text.as_str()))
    }
}

fn cpu(name: &str) -> Option<&'static Cpu> {
    TABLES.cpu.iter().find(|row| row.names.iter().any(|own| own == name))
}

/// A plain node with this CPU.
fn node(row: &Cpu, name: &str) -> Option<Node> {
    let platform: Platform = row.platform.parse().ok()?;
    let mut node = Node::plain(&platform);
    node.name = name.to_owned();
    node.page_size = row.page_size.unwrap_or(node.page_size);
    if let Some(level) = &row.level {
        node.level = Level::parse(&node.platform, level);
    }
    match row.compat32 {
        Some(false) => node.compat.clear(),
        Some(true) => node.compat.extend(siblings(&node.platform)),
        None => {}
    }
    doubt(&mut node, &row.unsure, row.confidence, name);
    Some(node)
}

fn doubt(node: &mut Node, unsure: &[Property], confidence: Option<Confidence>, name: &str) {
    let how = if confidence == Some(Confidence::Low) { "a guess" } else { "likely but not certain" };
    for property in unsure {
        let why = format!("what is known of {name} is {how}: {}", node.says(*property));
        node.unsure.insert(*property, why);
    }
}

/// As names are compared.
fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '_'], "-")
}

/// Names that `text` may have been meant for, best first.
pub(super) fn proposals(text: &str) -> Vec<&'static str> {
    let wanted = plain(text);
    let names = TABLES.cpu.iter().flat_map(|row| &row.names).chain(TABLES.machine.iter().flat_map(|row| &row.names));
    let examples = TABLES.types.iter().map(|row| &row.example);
    let mut alike = BTreeMap::new();
    for name in names.chain(examples).map(String::as_str).filter(|name| !name.starts_with("an-unknown")) {
        let likeness = strsim::jaro_winkler(&wanted, &plain(name));
        if likeness > ALIKE {
            // Nothing is above 1, so that the most alike comes first.
            alike.insert((((1.0 - likeness) * 1e6) as u64, name), name);
        }
    }
    alike.into_values().take(PROPOSED).collect()
}

#[cfg(test)]
mod tests {
    use super::{TABLES, cpu, find, plain, proposals, system};
    use crate::node::{Compat, Level, Property};

    #[test]
    fn every_row_is_whole_and_says_who_says_so() {
        assert!(TABLES.cpu.len() > 40 && TABLES.machine.len() > 20 && TABLES.types.len() > 50);
        for row in &TABLES.cpu {
            assert!(row.source.is_some() || row.confidence.is_some() && !row.unsure.is_empty(), "{:?}", row.names);
            let node = find(&row.names[0]).unwrap();
            assert!(node.code().is_some(), "{:?}", row.names);
            assert!(row.level.is_none() || node.level.is_some(), "{:?}", row.names);
        }
        for row in &TABLES.machine {
            assert!(row.source.is_some() || row.confidence.is_some() && !row.unsure.is_empty(), "{:?}", row.names);
            assert!(cpu(&row.cpu).is_some(), "{:?}", row.names);
        }
        let names = TABLES.cpu.iter().flat_map(|row| &row.names).chain(TABLES.machine.iter().flat_map(|row| &row.names));
        let mut names: Vec<&String> = names.collect();
        assert!(names.iter().all(|name| plain(name) == **name));
        names.sort();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "a name stands twice");
    }

    #[test]
    fn every_type_decides_its_example() {
        for row in &TABLES.types {
            assert!(row.source.is_some() || row.confidence.is_some() && !row.unsure.is_empty(), "{}", row.example);
            let (is, wanted) = (find(&row.example).unwrap(), find(&row.cpu).unwrap());
            assert_eq!((is.platform, is.level, is.compat), (wanted.platform, wanted.level, wanted.compat), "{}", row.example);
        }
    }

    #[test]
    fn every_system_decides_its_example() {
        for row in &TABLES.systems {
            assert!(row.source.is_some() || row.confidence.is_some() && !row.unsure.is_empty(), "{}", row.example);
            let (kernel, image) = if row.kernel.is_some() { (row.example.as_str(), "") } else { ("", row.example.as_str()) };
            let found = system(&row.architecture, kernel, image).unwrap();
            assert_eq!((&found.kernel, &found.os_image), (&row.kernel, &row.os_image), "{}", row.example);
        }
    }

    fn shown(name: &str) -> String {
        let Some(node) = find(name) else { return "unknown".into() };
        let level = node.level.map_or("-".into(), |level: Level| level.to_string());
        let compat = if node.compat.is_empty() { "no32" } else { "32" };
        let unsure: Vec<String> = node.unsure.keys().map(|property| format!(" {property:?}?")).collect();
        format!("{} {level} {compat} {}k{}", node.platform, node.page_size >> 10, unsure.concat())
    }

    #[test]
    fn a_family_decides_whatever_the_size() {
        for (name, expected) in [
            ("m8g.large", "linux/arm64 Armv9.0 no32 4k"),
            ("m8gd.metal-48xl", "linux/arm64 Armv9.0 no32 4k"),
            ("x8g.16xlarge", "linux/arm64 Armv9.0 no32 4k"),
            ("t4g.nano", "linux/arm64 Armv8.2 32 4k"),
            ("im4gn.large", "linux/arm64 Armv8.2 32 4k"),
            ("hpc7g.4xlarge", "linux/arm64 Armv8.4 32 4k"),
            ("m10g.large", "linux/arm64 - 32 4k Compat32?"),
            ("c7a.4xlarge", "linux/amd64 x86-64-v4 32 4k"),
            ("t3a.small", "linux/amd64 x86-64-v3 32 4k"),
            ("g4dn.xlarge", "linux/amd64 x86-64-v4 32 4k"),
            ("g2.2xlarge", "linux/amd64 x86-64-v2 32 4k"),
            ("mac2.metal", "unknown"),
            ("Standard_D4ps_v6", "linux/arm64 Armv9.0 32 4k"),
            ("standard_b2pls_v2", "linux/arm64 Armv8.2 32 4k"),
            ("Standard_DS2_v2", "linux/amd64 x86-64-v3 32 4k Level?"),
            ("Standard_D2as_v5", "linux/amd64 x86-64-v3 32 4k"),
            ("t2a-standard-4", "linux/arm64 Armv8.2 32 4k"),
            ("e2-medium", "linux/amd64 x86-64-v3 32 4k Level?"),
            ("c3-standard-192-metal", "linux/amd64 x86-64-v4 32 4k"),
            ("VM.Standard.A1.Flex", "linux/arm64 Armv8.2 32 4k"),
            ("ecs.g8y.large", "linux/arm64 Armv9.0 32 4k Compat32?"),
            ("cax11", "linux/arm64 Armv8.2 32 4k"),
            ("COPARM1-2C-8G", "linux/arm64 Armv8.2 32 4k"),
            ("raspberry-pi-zero", "linux/arm/v6 Armv6 no32 4k"),
            ("Raspberry Pi 5", "linux/arm64 Armv8.2 32 16k PageSize?"),
            ("apple-m3", "linux/arm64 Armv8.6 no32 4k"),
            ("asahi", "linux/arm64 Armv8.4 no32 16k"),
            ("power9", "linux/ppc64le POWER9 no32 64k"),
            ("la664", "linux/loong64 - no32 16k"),
            ("nonsense.large", "unknown"),
        ] {
            assert_eq!(shown(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_not_certain_says_so() {
        let node = find("ecs.g8y.large").unwrap();
        let why = &node.unsure[&Property::Compat32];
        assert_eq!(why, "what is known of ecs.g8y.large is likely but not certain: it runs 32-bit programs too");
        assert!(node.compat.contains(&Compat::Arm));
    }

    #[test]
    fn close_names_are_proposed() {
        assert!(proposals("gravitron3").contains(&"graviton3"));
        assert!(proposals("raspberry-pi-6").iter().all(|name| name.starts_with("raspberry-pi")));
        assert!(proposals("xyzzy").is_empty());
    }
}
