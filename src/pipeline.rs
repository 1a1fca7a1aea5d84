//! The whole tool on a screen: each function is a row of arrows.

mod cluster;
mod lint;
mod preflight;

use std::sync::Arc;

use crate::base::{GuestPath, Platform, Progress};
use crate::check::{self, Verdict};
use crate::exec::{self, Launch, LaunchError, Overrides, Trace};
use crate::finding::Finding;
use crate::format::oci::RunConfig;
use crate::image::{self, Damage, Image, LayerIndex, Layers, Limits, Listing, Reading, Rootfs};
use crate::node::{self, Node};
use crate::report::{self, ExecReport, ImageReport, Report, TargetReport, TriageReport};
use crate::store::{self, Cache, Network, Opened, Store, StoreError, Target};
use crate::triage::{self, Subject};

pub use cluster::subjects;
pub use lint::{LintRequest, Surroundings, fix, lint};
pub use preflight::{Machine, Manifests, Preflight, machines, preflight};

/// What `check` and `inspect` are asked.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// What to look at.
    pub targets: Vec<Target>,
    /// Only these platforms of an index; all where empty.
    pub platforms: Vec<Platform>,
    /// On which nodes; each image's own declared platform where empty.
    pub nodes: Vec<Node>,
    /// In the place of what the config says.
    pub overrides: Overrides,
    /// Paths to predict, as written.
    pub exec: Vec<Vec<u8>>,
    /// Whether to list every file that is code.
    pub files: bool,
    /// Whether to read no more of an image than tells how it starts, and to judge nothing else.
    pub entrypoint_only: bool,
    /// Up to where layers are read, and whether their DiffIDs are computed also where a descriptor's digest stands for the bytes.
    pub limits: Limits,
    /// What is known of layers from earlier runs.
    pub cache: Option<Arc<Cache>>,
    /// How registries are reached.
    pub network: Network,
}

/// What `triage` is asked.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// What crashed.
    pub subject: Subject,
    /// What it was started from; where empty, nothing is looked at.
    pub images: Vec<Target>,
    /// Where it ran; the subject's own node, or else a plain one of each image's own platform, where empty.
    pub nodes: Vec<Node>,
    /// What is known of layers from earlier runs.
    pub cache: Option<Arc<Cache>>,
    /// How registries are reached.
    pub network: Network,
}

/// Symptoms → hypotheses; Target → … → Trace for what crashed; and each held against the other.
pub fn triage(case: Case, progress: &dyn Progress) -> TriageReport {
    let mut diagnosis = triage::diagnose(case.subject);
    let nodes = if case.nodes.is_empty() { diagnosis.subject.node.iter().cloned().collect() } else { case.nodes };
    let mut report = Report::default();
    let mut looks = Vec::new();
    for image in &case.images {
        for container in started_from(&diagnosis.subject, image) {
            let paths = diagnosis.paths().into_iter().map(|(_, path)| path.as_bytes().to_vec()).collect();
            let request = Request {
                targets: vec![image.clone()],
                nodes: nodes.clone(),
                overrides: container.as_ref().map(triage::Container::overrides).unwrap_or_default(),
                exec: paths,
                cache: case.cache.clone(),
                network: case.network.clone(),
                ..Request::default()
            };
            let seen = check(&request, progress);
            looks.extend(report::looks(&seen, &nodes, container.as_ref().map(|container| container.name.as_str())));
            report.targets.extend(seen.targets);
            report.findings.extend(seen.findings);
        }
    }
    diagnosis.hold_against(&looks);
    TriageReport { diagnosis, looks, looked_at: report }
}

/// The containers that were started from an image: those that name it, or all that crashed, or none in particular.
fn started_from(subject: &Subject, image: &Target) -> Vec<Option<triage::Container>> {
    let is_asked = |container: &triage::Container| image.text.ends_with(&container.image) && !container.image.is_empty();
    let is_pulled = |container: &triage::Container| container.image_id.as_ref().is_some_and(|id| image.text.ends_with(id));
    let is_named = |container: &&triage::Container| is_asked(container) || is_pulled(container);
    let named: Vec<Option<triage::Container>> = subject.containers.iter().filter(is_named).cloned().map(Some).collect();
    match (named.is_empty(), subject.containers.as_slice()) {
        (false, _) => named,
        (true, [only]) => vec![Some(only.clone())],
        (true, _) => vec![None],
    }
}

/// Looks at every target and judges it. A target that cannot be looked at has its `error` set; the others are judged.
pub fn check(request: &Request, progress: &dyn Progress) -> Report {
    let mut report = Report::default();
    for target in &request.targets {
        let (target, findings) = look(target, request, progress).unwrap_or_else(|error| could_not_look(target, &error));
        report.targets.push(target);
        report.findings.extend(findings);
    }
    if let Some(Err(error)) = request.cache.as_ref().map(|cache| cache.prune(Cache::DEFAULT_LIMIT)) {
        progress.note(&format!("the cache is not pruned: {error}"));
    }
    report
}

fn could_not_look(target: &Target, error: &StoreError) -> (TargetReport, Vec<Finding>) {
    let report = TargetReport { target: target.to_string(), error: Some(error.to_string()), ..TargetReport::default() };
    (report, Vec::new())
}

/// Target → Store → Images → LayerIndexes → Rootfs → Traces → Findings, for one target.
fn look(target: &Target, request: &Request, progress: &dyn Progress) -> Result<(TargetReport, Vec<Finding>), StoreError> {
    let (store, layers) = open(target, request, progress)?;
    look_into(&target.to_string(), &*store, layers, request, progress)
}

/// The same for a target that is open: `name` is what it is called, and `layers` are those that were read while it was opened.
///
/// # Errors
/// The store cannot say what it holds.
pub fn look_into(
    name: &str,
    store: &dyn Store,
    mut layers: Layers,
    request: &Request,
    progress: &dyn Progress,
) -> Result<(TargetReport, Vec<Finding>), StoreError> {
    let listing = image::list(store)?;
    let mut findings = check::judge_choice(name, &listing, &request.platforms);
    let mut listing = wanted(listing, &request.platforms);
    let mut plan = Plan::new(&listing, &request.nodes);
    while listing.complete(store, &plan.needed()) {
        plan = Plan::new(&listing, &request.nodes);
    }
    let reading = Reading { limits: request.limits, cache: request.cache.as_deref(), progress };
    if !request.entrypoint_only {
        layers.read(store, &plan.images(&listing), &reading);
    }

    findings.extend(check::judge_listing(name, &listing, &plan.unmatched));
    let mut images = Vec::new();
    for (image, nodes) in listing.images.iter().zip(&plan.nodes) {
        let is_needed = nodes.is_empty() || nodes.iter().any(|(_, selected)| *selected);
        if !is_needed {
            images.push(ImageReport { image: image.clone(), ..ImageReport::default() });
            continue;
        }
        if request.entrypoint_only {
            read_start(image, nodes, &mut layers, store, &reading, request);
        }
        let (image, found) = examine(name, image, nodes, &layers, request);
        images.push(image);
        findings.extend(found);
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok((
        TargetReport { target: name.to_owned(), digest: listing.digest, error: None, images, skipped: listing.skipped },
        findings,
    ))
}

fn open<'a>(
    target: &Target,
    request: &'a Request,
    progress: &'a dyn Progress,
) -> Result<(Box<dyn Store + 'a>, Layers), StoreError> {
    match store::open(target, &request.network, progress)? {
        Opened::Store(store) => Ok((store, Layers::default())),
        Opened::Stream(input) => {
            let streamed = store::read_stream(input, progress, |digest, layer| {
                Arc::new(LayerIndex::scan(layer, &request.limits.verifying(digest)))
            })?;
            Ok((streamed.store, Layers::scanned(streamed.scanned)))
        }
    }
}

/// Keeps the images that `--platform` asks for.
fn wanted(mut listing: Listing, platforms: &[Platform]) -> Listing {
    if !platforms.is_empty() {
        listing.images.retain(|image| platforms.iter().any(|platform| image.is_for(platform)));
    }
    listing
}

/// Which nodes each image is examined for.
struct Plan {
    /// By image: the nodes, and whether the node would pull this image.
    nodes: Vec<Vec<(Node, bool)>>,
    /// Nodes for which there is no image, with the platforms that there are.
    unmatched: Vec<Node>,
}

impl Plan {
    fn new(listing: &Listing, nodes: &[Node]) -> Self {
        let mut plan = Self { nodes: vec![Vec::new(); listing.images.len()], unmatched: Vec::new() };
        for node in nodes {
            for group in listing.groups() {
                let chosen = choose(&group, node);
                if chosen.is_none() {
                    plan.unmatched.push(node.clone());
                }
                for (place, _) in group {
                    if let Some(nodes) = plan.nodes.get_mut(place) {
                        nodes.push((node.clone(), chosen == Some(place)));
                    }
                }
            }
        }
        plan
    }

    /// The places of the images that are needed: those that some node pulls, or all where no node was named.
    fn needed(&self) -> Vec<usize> {
        let needed = |nodes: &Vec<(Node, bool)>| nodes.is_empty() || nodes.iter().any(|(_, selected)| *selected);
        self.nodes.iter().enumerate().filter(|(_, nodes)| needed(nodes)).map(|(place, _)| place).collect()
    }

    /// The images whose layers are needed.
    fn images<'a>(&self, listing: &'a Listing) -> Vec<&'a Image> {
        self.needed().into_iter().filter_map(|place| listing.images.get(place)).collect()
    }
}

/// The image of an index that `node` pulls. An image that stands alone, without an index, is pulled by every node.
fn choose(group: &[(usize, &Image)], node: &Node) -> Option<usize> {
    if let [(place, image)] = group
        && image.declared.is_none()
    {
        return Some(*place);
    }
    let platforms: Vec<Option<Platform>> = group.iter().map(|(_, image)| image.platform().cloned()).collect();
    let chosen = node::select(&node.platform, &platforms)?;
    group.get(chosen).map(|(place, _)| *place)
}

/// One image: its files, its start, what each node makes of it, and the judgement.
fn examine(
    target: &str,
    image: &Image,
    nodes: &[(Node, bool)],
    layers: &Layers,
    request: &Request,
) -> (ImageReport, Vec<Finding>) {
    let (rootfs, damage) = stack(image, layers, request);
    let image = Image { damage: [image.damage.clone(), damage].concat(), ..image.clone() };
    let Story { launch, verdicts, exec } = follow(&image, &rootfs, nodes, request);

    let known = launch.as_ref().map(Result::as_ref).map(|launch| launch.map_err(Box::as_ref));
    let case = check::Case { target, image: &image, rootfs: &rootfs, launch: known, verdicts: &verdicts };
    let findings = if request.entrypoint_only { check::judge_start(&case) } else { check::judge(&case) };
    let report = ImageReport {
        machines: if request.entrypoint_only { Vec::new() } else { report::machines(&rootfs) },
        exec,
        files: request.files.then(|| report::files(&rootfs)),
        partial: rootfs.is_partial(),
        fetched: request.entrypoint_only.then(|| layers.fetched(&image)),
        launch: launch.map(|launch| launch.unwrap_or_else(|error| error.launch)),
        verdicts,
        image,
    };
    (report, findings)
}

/// Reads as little of an image as tells how it starts: what following the start asks for and does not find, until it asks for
/// nothing more.
fn read_start(
    image: &Image,
    nodes: &[(Node, bool)],
    layers: &mut Layers,
    store: &dyn Store,
    reading: &Reading<'_>,
    request: &Request,
) {
    loop {
        let (rootfs, _) = stack(image, layers, request);
        follow(image, &rootfs, nodes, request);
        let Some(lack) = rootfs.lack() else { return };
        drop(rootfs);
        layers.supply(store, image, &lack, reading);
    }
}

fn stack(image: &Image, layers: &Layers, request: &Request) -> (Rootfs, Vec<Damage>) {
    let (rootfs, damage) = layers.stack(image);
    (rootfs.with_noexec(request.overrides.noexec.iter().map(GuestPath::new)), damage)
}

/// How an image starts.
struct Story {
    launch: Option<Start>,
    verdicts: Vec<Verdict>,
    exec: Vec<ExecReport>,
}

/// Follows the start on each node, and the paths of `--exec`.
fn follow(image: &Image, rootfs: &Rootfs, nodes: &[(Node, bool)], request: &Request) -> Story {
    let nodes = if nodes.is_empty() { vec![own_node(image, rootfs)] } else { nodes.to_vec() };
    let launch = start(image, rootfs, &request.overrides);
    let verdicts: Vec<Verdict> = nodes.iter().map(|(node, selected)| verdict(rootfs, launch.as_ref(), node, *selected)).collect();
    let exec = predictions(rootfs, launch.as_ref(), &verdicts, request);
    Story { launch, verdicts, exec }
}

/// Where no node was named: a plain node of the platform that the image is for. Where nothing says, runtimes take an image to be
/// for the machine that they are on.
fn own_node(image: &Image, rootfs: &Rootfs) -> (Node, bool) {
    let platform = image.platform().cloned().or_else(|| check::infer_platform(rootfs));
    (platform.as_ref().map_or_else(Node::host, Node::plain), true)
}

type Start = Result<Launch, Box<LaunchError>>;

/// How the image is started; `None` where neither a config nor the user says.
fn start(image: &Image, rootfs: &Rootfs, overrides: &Overrides) -> Option<Start> {
    let nothing = RunConfig::default();
    let config = image.config.as_ref().map(|config| &config.run);
    let config = config.or_else(|| (overrides.entrypoint.is_some() || overrides.cmd.is_some()).then_some(&nothing))?;
    Some(exec::launch(config, overrides, rootfs))
}

fn verdict(rootfs: &Rootfs, start: Option<&Start>, node: &Node, selected: bool) -> Verdict {
    let (trace, launch) = match start {
        None => (Trace::unsure(exec::Doubt::NoConfig), &Launch::default()),
        Some(Ok(launch)) => (exec::predict(rootfs, launch, node), launch),
        Some(Err(error)) => (Trace::refused(error.cause.clone()), &error.launch),
    };
    let (message, crun_message) = (exec::message(&trace, launch), exec::crun_message(&trace, launch));
    Verdict { node: node.clone(), selected, trace, message, crun_message }
}

/// What each node makes of each path of `--exec`.
fn predictions(rootfs: &Rootfs, start: Option<&Start>, verdicts: &[Verdict], request: &Request) -> Vec<ExecReport> {
    // Without a config there is still the user and the directory that were asked for.
    let asked = if start.is_none() { Some(exec::launch(&RunConfig::default(), &request.overrides, rootfs)) } else { None };
    let launch = match start.or(asked.as_ref()) {
        Some(Ok(launch)) => launch,
        Some(Err(error)) => &error.launch,
        None => &Launch::default(),
    };
    let predict = |path: &Vec<u8>, node: &Node| ExecReport {
        path: path.clone(),
        node: node.name.clone(),
        trace: exec::predict_path(rootfs, path, &launch.cwd, &launch.user, node),
    };
    request.exec.iter().flat_map(|path| verdicts.iter().map(move |verdict| predict(path, &verdict.node))).collect()
}
