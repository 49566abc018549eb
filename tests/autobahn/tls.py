"""A port without TLS in front of a gateway with TLS, for the relay."""

import asyncio
import pathlib
import ssl
import subprocess
import threading


def certificate(folder):
    """Makes a certificate for 127.0.0.1 in the folder; returns the paths of it and its key."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ["-subj", "/CN=suite", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    subprocess.run([*command, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


async def pipe(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        # TLS has no half that stays open.
        writer.close()


def start(gateway, cert):
    """Listens in the background for the gateway at that port; returns the port without TLS."""
    context = ssl.create_default_context(cafile=cert)
    ports = asyncio.Queue()

    async def join(reader, writer):
        try:
            from_gateway, to_gateway = await asyncio.open_connection("127.0.0.1", gateway, ssl=context)
        except OSError:
            writer.close()
            return
        await asyncio.gather(pipe(reader, to_gateway), pipe(from_gateway, writer))

    async def listen():
        server = await asyncio.start_server(join, "127.0.0.1", 0)
        ports.put_nowait(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    loop = asyncio.new_event_loop()
    threading.Thread(target=lambda: loop.run_until_complete(listen()), daemon=True).start()
    return asyncio.run_coroutine_threadsafe(ports.get(), loop).result()
