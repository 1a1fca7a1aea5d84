use std::collections::HashMap;
use std::io::Read;

use serde_json::{Value, json};

use super::{Listing, Skip, list};
use crate::base::{Digest, Platform};
use crate::format::oci::{Descriptor, Document, LEGACY_CONFIG, Manifest};
use crate::image::{DamageKind, LayerSource};
use crate::store::{NamedManifest, Root, Store, StoreError, Tree};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A store in memory; its root is an index of the descriptors that it is given.
#[derive(Default)]
struct Memory {
    blobs: HashMap<Digest, Vec<u8>>,
    root: Option<Root>,
}

impl Store for Memory {
    fn root(&self) -> Result<Root, StoreError> {
        self.root.clone().ok_or_else(|| StoreError::Registry("no root".into()))
    }

    fn document(&self, descriptor: &Descriptor) -> Result<Vec<u8>, StoreError> {
        let bytes = descriptor.digest.as_ref().and_then(|digest| self.blobs.get(digest)).cloned();
        bytes.ok_or_else(|| StoreError::Missing { what: descriptor.name(), place: "memory".into() })
    }

    fn blob(&self, _: &Descriptor) -> Result<Box<dyn Read + Send + '_>, StoreError> {
        Err(StoreError::Registry("no layers are read here".into()))
    }

    fn tree(&self) -> Result<Tree, StoreError> {
        Err(StoreError::Registry("no tree".into()))
    }
}

impl Memory {
    fn add(&mut self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        self.blobs.insert(digest.clone(), bytes.to_vec());
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    fn write(&mut self, media_type: &str, document: &Value) -> Value {
        self.add(media_type, document.to_string().as_bytes())
    }

    /// An image of so many layers, whose config is `config`.
    fn image(&mut self, config: &Value, layers: usize) -> Value {
        let config = self.write(CONFIG, config);
        self.manifest(&config, &vec![LAYER; layers])
    }

    fn manifest(&mut self, config: &Value, layers: &[&str]) -> Value {
        let layer = |(number, media_type): (usize, &&str)| json!({"mediaType": media_type, "digest": diff_id(number), "size": 1});
        let layers: Vec<Value> = layers.iter().enumerate().map(layer).collect();
        self.write(MANIFEST, &json!({"mediaType": MANIFEST, "config": config, "layers": layers}))
    }

    fn index(&mut self, entries: &[Value]) -> Value {
        self.write(INDEX, &json!({"mediaType": INDEX, "manifests": entries}))
    }

    fn list(mut self, entries: &[Value]) -> Listing {
        let bytes = json!({"manifests": entries}).to_string();
        let Ok(Document::Index(index)) = Document::parse(bytes.as_bytes(), "") else { panic!("{bytes}") };
        self.root = Some(Root::Index(index));
        list(&self).unwrap()
    }
}

fn diff_id(number: usize) -> Digest {
    Digest::of(&number.to_le_bytes())
}

fn config(architecture: &str, layers: usize) -> Value {
    let diff_ids: Vec<Digest> = (0..layers).map(diff_id).collect();
    json!({"os": "linux", "architecture": architecture, "rootfs": {"diff_ids": diff_ids}})
}

fn with(mut entry: Value, key: &str, value: Value) -> Value {
    entry[key] = value;
    entry
}

fn platform(architecture: &str) -> Value {
    json!({"os": "linux", "architecture": architecture})
}

fn called(name: &str) -> Value {
    json!({"org.opencontainers.image.ref.name": name})
}

fn kinds(listing: &Listing) -> Vec<&DamageKind> {
    let images = listing.images.iter().flat_map(|image| &image.damage);
    listing.damage.iter().chain(images).map(|damage| &damage.kind).collect()
}

#[test]
fn images_of_indexes_in_indexes_are_found_with_names_and_platforms() {
    let mut store = Memory::default();
    let amd64 = store.image(&config("amd64", 1), 1);
    let arm64 = store.image(&config("arm64", 2), 2);
    let entries = [with(amd64, "platform", platform("amd64")), with(arm64.clone(), "platform", platform("arm64"))];
    let nested = store.index(&entries);
    let listing = store.list(&[with(nested.clone(), "annotations", called("app:1"))]);
    assert_eq!(kinds(&listing), Vec::<&DamageKind>::new());
    assert_eq!(listing.digest.map(|digest| json!(digest)), Some(nested["digest"].clone()));
    let [first, second] = listing.images.as_slice() else { panic!("not two images") };
    assert_eq!((first.names.as_slice(), &second.names), ([String::from("app:1")].as_slice(), &first.names));
    assert_eq!(second.declared, Some(Platform::linux("arm64", None)));
    assert_eq!(json!(second.digest), arm64["digest"]);
    assert_eq!(second.config.as_ref().map(|config| config.platform.architecture.as_str()), Some("arm64"));
    let diff_ids: Vec<_> = second.layers.iter().map(|layer| layer.diff_id.clone()).collect();
    assert_eq!(diff_ids, [Some(diff_id(0)), Some(diff_id(1))]);
}

#[test]
fn an_image_with_two_tags_is_one_image() {
    let mut store = Memory::default();
    let image = store.image(&config("amd64", 0), 0);
    let tagged = |name: &str| with(image.clone(), "annotations", called(name));
    let listing = store.list(&[tagged("a"), tagged("b"), tagged("a")]);
    assert_eq!(listing.images.len(), 1);
    assert_eq!(listing.images[0].names, ["a", "b"]);
    assert_eq!(listing.digest, None, "two entries are not one");
}

#[test]
fn a_manifest_under_two_platforms_stays_two_images() {
    let mut store = Memory::default();
    let image = store.image(&config("amd64", 0), 0);
    let listing = store.list(&[with(image.clone(), "platform", platform("amd64")), with(image, "platform", platform("arm64"))]);
    assert_eq!(listing.images.len(), 2);
}

#[test]
fn what_is_no_image_is_skipped_with_the_reason() {
    let mut store = Memory::default();
    let image = store.image(&config("amd64", 0), 0);
    let attestation = with(image.clone(), "annotations", json!({"vnd.docker.reference.type": "attestation-manifest"}));
    let image_config = store.write(CONFIG, &config("amd64", 1));
    let unknown = json!({"os": "unknown", "architecture": "unknown"});
    let old_attestation = with(store.manifest(&image_config, &["application/vnd.in-toto+json"]), "platform", unknown);
    let helm = store.add("application/vnd.cncf.helm.config.v1+json", b"{\"name\": \"chart\"}");
    let helm = store.manifest(&helm, &["application/vnd.cncf.helm.chart.content.v1.tar+gzip"]);
    let signature = store.manifest(&image_config, &["application/vnd.dev.cosign.simplesigning.v1+json"]);
    let empty = store.add("application/vnd.oci.empty.v1+json", b"{}");
    let typed = json!({"mediaType": MANIFEST, "artifactType": "application/vnd.example.model", "config": empty, "layers": []});
    let about = with(with(typed.clone(), "subject", image.clone()), "artifactType", json!("application/spdx+json"));
    let (typed, about) = (store.write(MANIFEST, &typed), store.write(MANIFEST, &about));
    let old = store.add("application/vnd.docker.distribution.manifest.v1+prettyjws", b"{\"schemaVersion\": 1}");
    let other = store.add("application/vnd.oci.artifact.manifest.v1+json", b"{}");
    let listing = store.list(&[attestation, old_attestation, helm, signature, typed, about, old, other]);
    let why: Vec<Skip> = listing.skipped.into_iter().map(|skipped| skipped.why).collect();
    let artifact = |name: &str| Skip::Artifact(name.to_owned());
    let expected = [
        Skip::Attestation,
        Skip::Attestation,
        artifact("application/vnd.cncf.helm.config.v1+json"),
        artifact("application/vnd.dev.cosign.simplesigning.v1+json"),
        artifact("application/vnd.example.model"),
        Skip::Referrer { kind: "application/spdx+json".to_owned(), subject: image["digest"].as_str().unwrap().parse().unwrap() },
        Skip::SchemaOne,
        artifact("application/vnd.oci.artifact.manifest.v1+json"),
    ];
    assert_eq!((why, listing.images), (expected.to_vec(), vec![]));
}

#[test]
fn an_image_whose_index_calls_it_an_artifact_is_still_an_image() {
    let mut store = Memory::default();
    let image = store.image(&config("amd64", 1), 1);
    let listing = store.list(&[with(image, "artifactType", json!("application/vnd.example"))]);
    assert_eq!((listing.images.len(), listing.skipped.len()), (1, 0));
}

#[test]
fn wrong_digest_and_size_are_told_and_the_document_is_read_all_the_same() {
    let mut store = Memory::default();
    let mut image = store.image(&config("arm64", 1), 1);
    image["size"] = json!(5);
    let digest: Digest = image["digest"].as_str().unwrap().parse().unwrap();
    let mut bytes = store.blobs[&digest].clone();
    bytes.push(b' ');
    let actual = Digest::of(&bytes);
    let size = bytes.len() as u64;
    store.blobs.insert(digest.clone(), bytes);
    let listing = store.list(&[image]);
    let expected =
        [DamageKind::SizeMismatch { expected: 5, actual: size }, DamageKind::DigestMismatch { expected: digest, actual }];
    assert_eq!(kinds(&listing), expected.iter().collect::<Vec<_>>());
    assert!(listing.images[0].config.is_some());
}

#[test]
fn a_broken_config_leaves_the_layers() {
    let mut store = Memory::default();
    let config = store.add(CONFIG, b"this is not JSON");
    let image = store.manifest(&config, &[LAYER, LAYER]);
    let listing = store.list(&[with(image, "platform", platform("amd64"))]);
    let [image] = listing.images.as_slice() else { panic!("no image") };
    assert_eq!((image.layers.len(), image.config.is_none()), (2, true));
    assert!(matches!(kinds(&listing).as_slice(), [DamageKind::Document(_)]), "{listing:?}");
}

#[test]
fn a_missing_config_leaves_the_layers() {
    let mut store = Memory::default();
    let absent = json!({"mediaType": CONFIG, "digest": Digest::of(b"absent"), "size": 1});
    let image = store.manifest(&absent, &[LAYER]);
    let listing = store.list(&[image]);
    assert!(matches!(kinds(&listing).as_slice(), [DamageKind::Missing(_)]));
    assert_eq!(listing.images[0].layers.len(), 1);
}

#[test]
fn a_config_of_fewer_layers_is_told_and_gives_no_diff_ids() {
    let mut store = Memory::default();
    let image = store.image(&config("amd64", 1), 2);
    let listing = store.list(&[image]);
    assert_eq!(kinds(&listing), [&DamageKind::LayerCount { layers: 2, diff_ids: 1 }]);
    assert!(listing.images[0].layers.iter().all(|layer| layer.diff_id.is_none()));
}

#[test]
fn build_steps_count_those_that_made_no_layer() {
    let mut store = Memory::default();
    let history = json!([{"created_by": "ADD"}, {"created_by": "ENV", "empty_layer": true}, {"created_by": "COPY"}]);
    let image = store.image(&with(config("amd64", 2), "history", history), 2);
    let listing = store.list(&[image]);
    let steps: Vec<_> = listing.images[0].layers.iter().filter_map(|layer| layer.step.as_ref()).collect();
    let steps: Vec<_> = steps.iter().map(|step| (step.number, step.created_by.as_str())).collect();
    assert_eq!(steps, [(1, "ADD"), (3, "COPY")]);
}

#[test]
fn platforms_that_were_not_saved_are_skipped_but_a_lone_missing_manifest_is_damage() {
    let mut store = Memory::default();
    let here = with(store.image(&config("amd64", 0), 0), "platform", platform("amd64"));
    let gone = json!({"mediaType": MANIFEST, "digest": Digest::of(b"gone"), "size": 4, "platform": platform("arm64")});
    let listing = Memory { blobs: store.blobs.clone(), root: None }.list(&[gone.clone(), here.clone()]);
    assert_eq!((listing.images.len(), kinds(&listing).len()), (1, 0));
    assert_eq!(listing.skipped[0].why, Skip::Absent(Platform::linux("arm64", None)));
    let listing = Memory::default().list(&[gone]);
    assert_eq!(listing.images[0].declared, Some(Platform::linux("arm64", None)));
    assert!(matches!(kinds(&listing).as_slice(), [DamageKind::Missing(_)]));
}

#[test]
fn an_index_that_contains_itself_ends() {
    let mut store = Memory::default();
    let digest = Digest::of(b"loop");
    let entry = json!({"mediaType": INDEX, "digest": digest});
    store.blobs.insert(digest, json!({"mediaType": INDEX, "manifests": [entry, entry]}).to_string().into_bytes());
    let listing = store.list(&[entry]);
    assert!(kinds(&listing).iter().any(|kind| matches!(kind, DamageKind::Document(text) if text.contains("itself"))));
}

#[test]
fn deep_and_wide_indexes_are_bounded() {
    let mut store = Memory::default();
    let mut entry = store.image(&config("amd64", 0), 0);
    for _ in 0..8 {
        entry = store.index(&vec![entry; 40]);
    }
    let listing = store.list(&[entry]);
    assert!(kinds(&listing).iter().any(|kind| matches!(kind, DamageKind::Limit(_))));
    assert!(kinds(&listing).iter().any(|kind| matches!(kind, DamageKind::Document(text) if text.contains("deep"))));
    assert!(listing.images.len() <= 1000 && listing.damage.len() <= 1001);
}

#[test]
fn an_empty_index_is_not_clean() {
    assert!(matches!(kinds(&Memory::default().list(&[])).as_slice(), [DamageKind::Document(_)]));
}

#[test]
fn untagged_images_of_an_archive_are_told_apart_and_old_configs_need_no_diff_ids() {
    let image = |member: &str| NamedManifest {
        tags: Vec::new(),
        manifest: Manifest {
            config: Some(Descriptor { media_type: LEGACY_CONFIG.into(), member: Some(member.into()), ..Descriptor::default() }),
            layers: vec![Descriptor { member: Some("layer.tar".into()), ..Descriptor::default() }],
            ..Manifest::default()
        },
    };
    let store = Memory { root: Some(Root::Images(vec![image("a"), image("b")])), ..Memory::default() };
    let listing = list(&store).unwrap();
    assert_eq!((&listing.images[0].names[..], &listing.images[1].names[..]), (&["a".to_owned()][..], &["b".to_owned()][..]));
    assert!(listing.images.iter().all(|image| matches!(image.damage[0].kind, DamageKind::Missing(_))));
}

#[test]
fn a_single_file_is_started_by_its_own_name() {
    let store = Memory { root: Some(Root::File("/app".into())), ..Memory::default() };
    let listing = list(&store).unwrap();
    let config = listing.images[0].config.as_ref().unwrap();
    assert_eq!(config.run.entrypoint.as_deref(), Some(&["/app".to_owned()][..]));
    assert_eq!(listing.images[0].layers[0].source, LayerSource::File);
}
