//! A gateway inside another program: starts on a free port and stops when Enter is pressed.

use presence_gateway::{Clock, Gateway, GatewayConfig};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let gateway = Gateway::start(GatewayConfig::ephemeral(), Clock::system())?;
    println!("clients connect to {}; Enter stops the gateway", gateway.url());
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    gateway.shutdown().await;
    Ok(())
}
