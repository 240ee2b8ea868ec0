/* Stands in for moshi-server: one line for its own path, each argument and what the start script sets. With
   $SERVER_STAYS it does not end. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef CUDA
void cuInit(void);
#endif
#ifdef GONE
void gone(void);
#endif
#ifdef PATHS
const char *volatile paths = PATHS;
#endif

int main(int argc, char **argv) {
  static const char *names[] = {"LD_LIBRARY_PATH", "CUDA_CACHE_PATH", "HF_HOME", "HF_HUB_DISABLE_XET"};
#ifdef CUDA
  cuInit();
#endif
#ifdef GONE
  gone();
#endif
#ifdef PATHS
  if (paths[0] == 0) return 1;
#endif
  printf("binary %s\n", argv[0]);
  for (int i = 1; i < argc; i++) printf("arg %s\n", argv[i]);
  for (int i = 0; i < 4; i++)
    if (getenv(names[i])) printf("env %s=%s\n", names[i], getenv(names[i]));
  fflush(stdout);
  while (getenv("SERVER_STAYS")) pause();
  return 0;
}
