import { LOCAL } from '../local/paths.mjs';
import { provideEngine } from './engine.mjs';
import { writeEnvironmentFile } from './environment-file.mjs';
import { buildImages } from './images.mjs';

/**
 * Makes all that docker-compose.yml needs: an engine, the images and `.env`.
 *
 * @param {object} options
 * @param {Pick<ReturnType<typeof import('../local/progress.mjs').createProgress>, 'run'>} options.progress
 * @param {AbortSignal} options.signal
 * @returns {Promise<import('./engine.mjs').Engine>} whose `stop` is the caller's to call
 * @throws {StartError} where something fails; it names the log.
 */
export async function prepareDocker({ progress, signal }) {
  const engine = await progress.run('Docker engine', (say) => provideEngine({ say, signal }), { signal });
  try {
    const doing = { env: engine.env, log: `${LOCAL}/docker/images.log`, signal };
    const standIns = await progress.run('images', (say) => buildImages({ ...doing, say }), { signal });
    writeEnvironmentFile(standIns);
    return engine;
  } catch (error) {
    await engine.stop();
    throw error;
  }
}
