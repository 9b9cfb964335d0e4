// The package has Tradovate's hosts written into it, as most clients do. This leads their
// connections to the emulated ones, as /etc/hosts would; names, certificates and TLS stay as
// they are, and the package is not touched.
const net = require("node:net");

const ports = JSON.parse(process.env.EMULATED_PORTS);
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...args) {
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (options && typeof options === "object" && ports[options.host]) {
    options.port = ports[options.host];
    options.host = "127.0.0.1";
  } else if (options && options.host && options.host !== "127.0.0.1") {
    throw new Error("the package wants to connect to " + options.host);
  }
  return connect.apply(this, args);
};
