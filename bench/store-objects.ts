import { RawConnection, requestBytes } from './raw-connection';
import { CONNECTIONS, objectPath, requestBody } from './workload';

/** Stores the first `count` objects of the workload, as fast as they are taken. */
export async function storeObjects(port: number, count: number): Promise<void> {
  let key = 0;
  const lane = async (): Promise<void> => {
    let fail: (error: Error) => void = () => undefined;
    const connection = await RawConnection.open(port, (error) => fail(error));
    await new Promise<void>((resolve, reject) => {
      fail = reject;
      const next = (): void => {
        if (key >= count) return resolve();
        const mine = key++;
        connection.send(requestBytes('PUT', objectPath(mine), requestBody(mine)), (status) => {
          if (status === 200) next();
          else reject(new Error(`a put answered ${status}`));
        });
      };
      next();
    });
    connection.close();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, lane));
}
