//! What std would bring. A panic is a bug of the core and nothing can go on after it: the module
//! traps, and JavaScript sees a `RuntimeError`. Its text would cost a tenth of the module's size.

#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
