//! Whole images: documents and layers of anyone's making, through the gate and into every form of report.

use std::collections::BTreeMap;
use std::io::Read;

use arbitrary::{Arbitrary, Result, Unstructured};
use enoexec::base::{Digest, Quiet, escape};
use enoexec::exec::Overrides;
use enoexec::format::oci::{Descriptor, Document};
use enoexec::image::{Layers, Limits};
use enoexec::node::Node;
use enoexec::pipeline::{Request, look_into};
use enoexec::report::Report;
use enoexec::store::{Root, Store, StoreError, Tree};

use super::{recipe, shown};

/// Blobs in memory.
struct Blobs {
    root: Vec<u8>,
    blobs: BTreeMap<String, Vec<u8>>,
}

impl Blobs {
    fn blob(&self, descriptor: &Descriptor) -> std::result::Result<&Vec<u8>, StoreError> {
        let missing = || StoreError::Missing { what: descriptor.name(), place: "memory".to_owned() };
        self.blobs.get(&descriptor.name()).ok_or_else(missing)
    }
}

impl Store for Blobs {
    fn root(&self) -> std::result::Result<Root, StoreError> {
        match Document::parse(&self.root, "application/vnd.oci.image.index.v1+json") {
            Ok(Document::Index(index)) => Ok(Root::Index(index)),
            Ok(_) => Err(StoreError::Registry("no index".to_owned())),
            Err(error) => Err(StoreError::Registry(escape(&error.to_string()).to_string())),
        }
    }

    fn document(&self, descriptor: &Descriptor) -> std::result::Result<Vec<u8>, StoreError> {
        self.blob(descriptor).cloned()
    }

    fn blob(&self, layer: &Descriptor) -> std::result::Result<Box<dyn Read + Send + '_>, StoreError> {
        self.blob(layer).map(|blob| Box::new(blob.as_slice()) as Box<dyn Read + Send>)
    }

    fn tree(&self) -> std::result::Result<Tree, StoreError> {
        Err(StoreError::Registry("no tree".to_owned()))
    }
}

/// Texts that are parted by NUL: an index, and blobs. In any of them `@1` stands for the digest of the next, `@2` for that of the one
/// behind it, so that digests are no obstacle.
pub fn image(data: &[u8]) {
    let mut blobs = BTreeMap::new();
    let mut digests: Vec<String> = Vec::new();
    let mut root = Vec::new();
    for text in data.split(|byte| *byte == 0).take(120).collect::<Vec<_>>().into_iter().rev() {
        let mut text = text.to_vec();
        for (number, digest) in (1..=9).zip(digests.iter().rev()) {
            text = replaced(&text, format!("@{number}").as_bytes(), digest.as_bytes());
        }
        let digest = Digest::of(&text).to_string();
        root.clone_from(&text);
        blobs.insert(digest.clone(), text);
        digests.push(digest);
    }
    gate(&Blobs { root, blobs }, &Request::default());
}

fn replaced(text: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.windows(what.len()).position(|window| window == what) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(with);
        rest = &rest[at + what.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// A root of arbitrary files, started in an arbitrary way on arbitrary nodes.
pub fn exec(data: &[u8]) {
    let _ = started(&mut Unstructured::new(data));
}

const NODES: &[&str] = &[
    "amd64",
    "arm64",
    "arm/v6",
    "386",
    "ppc64le",
    "s390x",
    "riscv64",
    "mips64le",
    "loong64",
    "arm64,page-size=64k",
    "amd64,compat32=no",
    "amd64,level=v1",
    "arm64,binfmt=amd64",
    "raspberry-pi-zero",
    "m8g.large",
];

fn started(bytes: &mut Unstructured<'_>) -> Result<()> {
    let image = recipe::Image::arbitrary(bytes)?;
    let mut nodes = Vec::new();
    for _ in 0..bytes.int_in_range(0..=2)? {
        nodes.extend(Node::parse(bytes.choose(NODES)?));
    }
    let exec: Vec<Vec<u8>> = Vec::arbitrary(bytes)?;
    let overrides =
        Overrides { noexec: vec!["/mnt".to_owned()], drops_dac_override: bool::arbitrary(bytes)?, ..Overrides::default() };
    let (root, blobs) = image.documents();
    gate(&Blobs { root, blobs }, &Request { nodes, exec, overrides, files: true, ..Request::default() });
    Ok(())
}

fn gate(store: &Blobs, request: &Request) {
    let limits = Limits { bytes: 16 << 20, entries: 20_000, ..Limits::default() };
    let request = Request { limits, ..request.clone() };
    let mut report = Report::default();
    match look_into("image", store, Layers::default(), &request, &Quiet) {
        Ok((target, findings)) => {
            report.targets.push(target);
            report.findings = findings;
        }
        Err(error) => shown::plain(&error.to_string()),
    }
    shown::everywhere(&report);
}
