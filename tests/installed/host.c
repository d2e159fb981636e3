/*
 * A host as its author would build it: against what is installed, found by pkg-config. Loads the
 * plugin named on its command line and prints how it introduces itself.
 */
#include <dlfcn.h>
#include <provisioning/connector.h>
#include <stdio.h>
#include <string.h>

int
main(int argc, char **argv)
{
    struct prov_error err = { .size = sizeof(err) };
    struct prov_vtable api = { .size = sizeof(api) };
    prov_connector_init_fn init;
    void *plugin = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    void *symbol = plugin ? dlsym(plugin, "prov_connector_init") : NULL;
    char *schema = NULL;

    if (!symbol) {
        fprintf(stderr, "%s\n", argc == 2 ? dlerror() : "usage: host SFPROV.SO");
        return 1;
    }
    memcpy(&init, &symbol, sizeof(init));
    if (init(PROV_ABI_MAJOR, PROV_ABI_MINOR, &api, &err) || api.describe(&schema, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("%s %s\n", api.name, api.version);
    api.release(schema);
    return 0;
}
