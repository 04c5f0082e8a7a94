// Package pause is the program of a sandbox: the process that holds a network
// namespace for the containers that join it.
//
// It makes addresses unreachable by blackhole routes, gives up every capability,
// says that it is ready and waits to be told to end. What joins the namespace
// has no CAP_NET_ADMIN, and so cannot undo the routes.
//
// It runs in an image that holds nothing but the program, once for each sandbox,
// so it imports little and allocates less.
package pause
