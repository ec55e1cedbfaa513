// In the place of a package that has to be compiled: Janus is spoken to over WebSockets here.
exports.createSocket = () => {
  throw new Error("no Unix sockets here: give an address that begins with ws://");
};
