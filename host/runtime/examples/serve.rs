use lodge_model::*;
use std::sync::Arc;
struct Log;
impl LogSink for Log {
    fn write(&self, app: &AppId, line: LogLine) { println!("[{app}] {:?} {:?} {} {:?}", line.level, line.source, line.message, line.request); }
    fn set_rate(&self, _: &AppId, _: u64) {}
    fn tail(&self, _: &AppId, _: usize, _: LogLevel) -> Vec<LogLine> { vec![] }
    fn remove(&self, _: &AppId) {}
}
#[global_allocator]
static A: mimalloc::MiMalloc = mimalloc::MiMalloc;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "__child" { std::process::exit(if lodge_runtime::child::main(&args[2..]) == std::process::ExitCode::SUCCESS {0} else {1}); }
    tokio::runtime::Builder::new_multi_thread().worker_threads(std::env::var("T").map_or(3, |t| t.parse().unwrap())).enable_all().build().unwrap().block_on(run(args));
}
async fn run(args: Vec<String>) {
    use http_body_util::BodyExt;
    let rt = lodge_runtime::LocalRuntime::new(lodge_runtime::Settings {
        cache_dir: "/tmp/lodge-cache".into(), child_command: (std::env::current_exe().unwrap(), vec!["__child".into()]),
        compile_slots: 1, instances: 1000, guest_turns: std::env::var("G").map_or(2, |t| t.parse().unwrap()) }, Arc::new(Log)).unwrap();
    let wasm = std::fs::canonicalize(&args[1]).unwrap();
    let t = std::time::Instant::now();
    let i = rt.inspect(&wasm).await.unwrap();
    println!("{i:?} {:?}", t.elapsed());
    let digest = { use sha2::Digest as _; Digest::from_bytes(sha2::Sha256::digest(std::fs::read(&wasm).unwrap()).into()) };
    let t = std::time::Instant::now();
    rt.ensure_compiled(digest, i.uses_async, &wasm, &|p| println!("{p:?}")).await.unwrap();
    println!("compiled {:?}", t.elapsed());
    let meter = Arc::new(AppMeter::default());
    let mut limits = Limits::default();
    if let Some(r) = args.get(2) { limits.apply(&serde_json::from_str(r).unwrap()); }
    let t = std::time::Instant::now();
    let ep = rt.ensure_running(Launch { app: "x".parse().unwrap(), digest, world: i.world, uses_async: i.uses_async, limits, meter: meter.clone() }, &|_| {}).await;
    println!("running {:?} {:?}", t.elapsed(), ep.as_ref().err());
    let ep = ep.unwrap();
    let l = tokio::net::TcpListener::bind("127.0.0.1:7000").await.unwrap();
    let m2 = meter.clone();
    tokio::spawn(async move { loop { tokio::time::sleep(std::time::Duration::from_secs(5)).await; println!("{:?}", m2.snapshot()); } });
    loop {
        let (s, _) = l.accept().await.unwrap();
        s.set_nodelay(true).unwrap();
        let ep = ep.clone();
        tokio::spawn(async move {
            let svc = hyper::service::service_fn(move |req: http::Request<hyper::body::Incoming>| {
                let ep = ep.clone();
                async move {
                    let req = req.map(|b| b.map_err(|e| BodyError::Connection(e.to_string())).boxed_unsync());
                    match ep.call(RequestId(7), req).await {
                        Ok(r) => Ok::<_, std::convert::Infallible>(r),
                        Err(f) => Ok(http::Response::builder().status(f.kind.status()).body(http_body_util::Full::new(bytes::Bytes::from(f.kind.code())).map_err(|e| match e {}).boxed_unsync()).unwrap()),
                    }
                }
            });
            if let Err(e) = hyper::server::conn::http1::Builder::new().serve_connection(hyper_util::rt::TokioIo::new(s), svc).await { println!("conn {e:?}"); }
        });
    }
}
